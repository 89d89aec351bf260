from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.backbones import build_backbone
from facenet_lit.backbones.embedder import Embedder
from facenet_lit.batch import Batch, count_views
from facenet_lit.checkpoint import ModelCard
from facenet_lit.checks.training_steps import TrainingSteps, as_trained, first_rows
from facenet_lit.data.augmentation import Changes
from facenet_lit.data.batched_augmentation import BatchedAugmentation
from facenet_lit.health.vitals import shape_of
from facenet_lit.losses.loss import Loss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.supervised_contrastive import SupervisedContrastiveLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import GivenMiner, HardMiner, MaskedMiner, Miner, SemiHardMiner
from facenet_lit.verification_module import VerificationModule

CPU = torch.device("cpu")
PEOPLE = [0, 0, 1, 1, 1, 2, 2, 0, 2]
DRAWN = torch.tensor([[0, 1, 2], [3, 4, 5], [5, 6, 7]])


def batch(triplets: torch.Tensor | None = DRAWN) -> Batch:
    numbers = torch.tensor([4, 5, 6, 7, 8, 9, 10, 4, 11])  # an image twice
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (9, 3, 64, 64), dtype=np.uint8))
    views = torch.from_numpy(count_views(numbers.numpy()))
    return Batch(images, torch.tensor(PEOPLE), numbers, triplets, views, total=9)


def module(
    loss: Loss | None = None, miner: Miner | None = None, lr: float = 1e-3, chunk: int | None = None
) -> VerificationModule:
    torch.manual_seed(0)
    settings = {"depths": [1], "cardinality": 1, "group_width": 4, "width": 8, "expansion": 1}
    embedder = Embedder(build_backbone("resnext", **settings), 8, [0.5] * 3, [0.5] * 3, dropout=0.2)
    loss = TripletLoss() if loss is None else loss
    loss.set_up(torch.tensor(PEOPLE), 8)
    told_by = loss if isinstance(loss, TripletLoss) else TripletLoss()
    return VerificationModule(
        embedder, ModelCard("resnext", settings, 8, [0.5] * 3, [0.5] * 3), {}, miner or SemiHardMiner(), loss,
        told_by, lambda weights: torch.optim.SGD(weights, lr), {}, {}, chunk=chunk,
    )  # fmt: skip


def weights(of: VerificationModule) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in of.parameters()])


@pytest.mark.parametrize(
    ("loss", "miner"),
    [
        (TripletLoss(), SemiHardMiner()),
        (TripletLoss(), GivenMiner()),
        (SemiHardMeanLoss(), SemiHardMiner()),
        (SupervisedContrastiveLoss(), SemiHardMiner()),
        (MarginSoftmaxLoss(), SemiHardMiner()),
    ],
)
def test_a_step_is_that_of_training(loss: Loss, miner: Miner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module's own training step, with its optimiser, comes to the same weights."""
    ours, own = module(copy.deepcopy(loss), miner), module(copy.deepcopy(loss), miner)
    taking = TrainingSteps(ours, "32", CPU, seed=3)
    monkeypatch.setattr(own, "log", lambda *args, **more: None)
    optimizer = own.configure_optimizers()
    from facenet_lit.callbacks.seeded_steps import step_seed

    for number in range(3):
        taking.step(batch())
        torch.manual_seed(step_seed(3, number))
        value = own.train().training_step(batch(), number)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    torch.testing.assert_close(weights(ours), weights(own))
    assert (weights(ours) - weights(module(copy.deepcopy(loss), miner))).abs().max() > 0


def test_met_triplets_count_as_nought() -> None:
    """The mean is over all triplets, where the run's own is over the active ones."""
    told = TrainingSteps(module(TripletLoss(0.01), GivenMiner(), lr=0), "32", CPU).step(batch())
    taking = TrainingSteps(module(TripletLoss(0.01), GivenMiner(), lr=0), "32", CPU)
    torch.manual_seed(0)
    rows = []
    taking.module.embedder.register_forward_hook(lambda *_: rows.append(_[2].detach()))
    assert taking.step(batch()).loss == told.loss
    [embedded] = rows
    hinge = [
        max(0.0, float((embedded[a] - embedded[p]).norm() - (embedded[a] - embedded[n]).norm()) + 0.01)
        for a, p, n in DRAWN.tolist()
    ]
    assert told.loss == pytest.approx(sum(hinge) / 3, abs=1e-5)
    shape = shape_of(taking.module.scored.rows, 0.2)
    assert told.spread == pytest.approx(shape.spread, abs=1e-3)


def test_masked_triplets_are_told_whole() -> None:
    """Of a network in one point the miner ``masked`` keeps none, which is no loss of 0."""
    collapsed = module(miner=MaskedMiner())
    for weight in collapsed.embedder.parameters():
        torch.nn.init.zeros_(weight)
    collapsed.embedder.head[1].bias.data.fill_(1)
    told = TrainingSteps(collapsed, "32", CPU).step(batch())
    assert told.loss == pytest.approx(0.2)
    assert told.spread == pytest.approx(0, abs=1e-3)


def test_gradients_are_limited() -> None:
    taking = TrainingSteps(module(lr=1.0), "32", CPU, clip=1e-3)
    before = weights(taking.module)
    taking.step(batch())
    moved = float((weights(taking.module) - before).norm())
    assert 0 < moved <= 1e-3 * 1.001


@pytest.mark.parametrize("precision", ["64", "bf16"])
def test_other_arithmetics_learn_too(precision: str) -> None:
    network = module()
    taking = TrainingSteps(network.double() if precision == "64" else network, precision, CPU)
    losses = [taking.step(batch()).loss for _ in range(3)]
    assert all(0 < loss < 1 for loss in losses)
    assert len(set(losses)) == 3


def test_what_decides_on_likely_causes_is_known() -> None:
    found = TrainingSteps(module(miner=HardMiner(), lr=0.3), "32", CPU, clip=1.0).circumstances
    assert (found.learning_rate, found.miner, found.clipped) == (0.3, "hard", True)


def test_chunks_are_those_of_the_run() -> None:
    seen = []
    network = module(chunk=4)
    network.embedder.backbone.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    TrainingSteps(network, "32", CPU).step(batch())
    assert max(seen) < 9


def test_shown_triplets_are_the_drawn_ones_else_the_mined() -> None:
    taking = TrainingSteps(module(), "32", CPU)
    assert taking.triplets(batch()) is DRAWN
    mined = taking.triplets(batch(None))
    people = torch.tensor(PEOPLE)[mined]
    assert len(mined)
    assert (people[:, 0] == people[:, 1]).all()
    assert (people[:, 0] != people[:, 2]).all()


@given(st.integers(2, 9))
def test_first_rows_keep_the_triplets_among_them(rows: int) -> None:
    whole = batch()
    few = first_rows(whole, rows)
    some = PEOPLE[:rows]
    if rows == 9 or len(set(some)) in (1, rows):
        assert few is whole
        return
    assert few.global_rows == len(few.images) == len(few.views) == rows
    assert few.triplets.tolist() == [triplet for triplet in DRAWN.tolist() if max(triplet) < rows]


def test_a_batch_is_augmented_where_the_network_is() -> None:
    changes = BatchedAugmentation(Changes(flip=0.5, shift=0.1))
    changed = as_trained(batch()._replace(place=(2, 5)), changes, 7, CPU)
    torch.testing.assert_close(changed.images, changes(batch().images, (7, 2, 5), 0))
    assert as_trained(batch(), None, 7, CPU).images.equal(batch().images)
