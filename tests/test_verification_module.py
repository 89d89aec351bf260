from contextlib import nullcontext

import lightning as L
import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader

from facenet_lit.batch import Batch, BatchPlan, Rows
from facenet_lit.checkpoint import KEY, ModelCard
from facenet_lit.data.dataset import EverySampler, FaceDataset
from facenet_lit.health.sums import Sums
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.loss import Loss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.supervised_contrastive import SupervisedContrastiveLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.metrics.verification import VerificationMetric
from facenet_lit.mining import GivenMiner, SemiHardMiner
from facenet_lit.verification_module import VerificationModule

SMALL = {"depths": [1, 1], "cardinality": 2, "group_width": 4, "width": 8, "expansion": 2, "stem": "small"}
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 3), dtype=np.uint8)
IDENTITIES = np.arange(12) // 3
TRIPLETS = np.array([[0, 1, 3], [4, 5, 9]])
PAIRS = np.array([[0, 1], [4, 5], [0, 6], [2, 9]])


def made(miner: object = None, loss: object = None) -> VerificationModule:
    torch.manual_seed(0)
    card = ModelCard("resnext", SMALL, 16, [0.5] * 3, [0.5] * 3)
    return VerificationModule(
        card.build(),
        card,
        {part: VerificationMetric(1.1, [0.1]) for part in ("val", "test")},
        miner or SemiHardMiner(),
        loss or TripletLoss(0.2),
        TripletLoss(0.2),
        lambda parameters: torch.optim.SGD(parameters, lr=0.1),
        fixed_triplets={"val": TRIPLETS, "test": TRIPLETS[:1]},
        listed_pairs={"test": PAIRS},
    )


def batch(numbers: np.ndarray, triplets: np.ndarray | None = None) -> Batch:
    return FaceDataset(IMAGES, IDENTITIES)[BatchPlan(0, 0, numbers, triplets)]


def trainer() -> L.Trainer:
    return L.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, max_steps=3, use_distributed_sampler=False,
    )  # fmt: skip


def loader(size: int = 5) -> DataLoader:
    return DataLoader(
        FaceDataset(IMAGES, IDENTITIES), sampler=EverySampler(np.arange(12), size), batch_size=None
    )


@pytest.mark.filterwarnings("ignore:.*You are trying to .self.log")
def test_the_loss_is_that_of_the_mined_triplets() -> None:
    module = made(GivenMiner()).eval()
    module.log = lambda *_, **__: None
    drawn = np.array([[0, 1, 3], [4, 5, 7]])
    loss = module.training_step(batch(np.arange(8), drawn), 0)
    e = module(torch.from_numpy(IMAGES).permute(0, 3, 1, 2)).detach()
    gaps = [float((e[a] - e[p]).norm() - (e[a] - e[n]).norm()) + 0.2 for a, p, n in drawn]
    active = [gap for gap in gaps if gap > 0]
    assert float(loss) == pytest.approx(sum(active) / max(len(active), 1), abs=1e-5)


def test_what_learns_at_which_rate() -> None:
    module = made()
    (group,) = module.configure_optimizers().param_groups
    assert len(group["params"]) == len(list(module.parameters()))
    module.backbone_lr = 0.01
    rest, backbone = module.configure_optimizers().param_groups
    assert (rest["lr"], backbone["lr"]) == (0.1, 0.01)
    assert {id(w) for w in backbone["params"]} == {id(w) for w in module.embedder.backbone.parameters()}
    assert {id(w) for w in rest["params"]} == {id(w) for w in module.embedder.head.parameters()}
    module.embedder.backbone.requires_grad_(False)
    (group,) = module.configure_optimizers().param_groups
    assert group["lr"] == 0.1


@pytest.mark.filterwarnings("ignore:.*You are trying to .self.log")
def test_a_loss_that_needs_no_triplets_runs_no_miner() -> None:
    module = made(GivenMiner(), SemiHardMeanLoss()).eval()  # this miner would refuse a batch without triplets
    logged = {}
    module.log = lambda name, value, **_: logged.update({name: float(value)})
    loss = module.training_step(batch(np.arange(12)), 0)
    rows = Rows(
        module(torch.from_numpy(IMAGES).permute(0, 3, 1, 2)), *map(torch.tensor, (IDENTITIES, range(12)))
    )
    scored = SemiHardMeanLoss()(rows, rows, torch.empty(0, 3, dtype=torch.long))
    assert scored.considered == 12 * 2 * 9
    assert float(loss) == pytest.approx(float(scored.value), abs=1e-5)
    assert logged["train/active_share"] == pytest.approx(float(scored.active) / scored.considered)


@pytest.mark.parametrize(
    "loss",
    [
        TripletLoss(0.2),
        SemiHardMeanLoss(),
        SupervisedContrastiveLoss(),
        MarginSoftmaxLoss("cosface", 0.2),
        JointLoss(MarginSoftmaxLoss(), TripletLoss(0.2)),
    ],
)
def test_a_step_on_given_triplets_or_none_asks_a_gpu_for_nothing(
    loss: Loss, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is on the meta device has no values: whoever asks for one gets an error.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    loss.set_up(torch.from_numpy(IDENTITIES), 16)
    module = made(GivenMiner(), loss)
    module.log = lambda *_, **__: None
    sums = Sums()
    module.to("meta")
    plain = batch(np.arange(12), TRIPLETS)
    tensors = {name: value for name, value in plain._asdict().items() if isinstance(value, torch.Tensor)}
    there = plain._replace(**{name: value.to("meta") for name, value in tensors.items()})
    optimizer = torch.optim.AdamW(module.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        module.training_step(there, 0).backward()
        module.configure_gradient_clipping(optimizer, 1.0)
        optimizer.step()
        sums.add(module.scored)
    with pytest.raises((RuntimeError, NotImplementedError), match=r"meta"):
        _ = sums.loss


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*LeafSpec")
def test_figures_of_a_part_against_a_loop() -> None:
    module = made()
    trainer().validate(module, loader(), verbose=False)
    module.eval()
    e = module(torch.from_numpy(IMAGES).permute(0, 3, 1, 2)).detach()
    pairs = [(i, j) for i in range(12) for j in range(i + 1, 12)]
    distances = np.array([float((e[i] - e[j]).norm()) for i, j in pairs])
    same = np.array([IDENTITIES[i] == IDENTITIES[j] for i, j in pairs])
    assert module.figures["val/far"] == pytest.approx((distances[~same] < 1.1).mean())
    assert module.figures["val/tar"] == pytest.approx((distances[same] < 1.1).mean())
    assert module.figures["val/auc"] == pytest.approx(roc_auc_score(same, -distances), abs=1e-3)
    losses = [float((e[a] - e[p]).norm() - (e[a] - e[n]).norm()) + 0.2 for a, p, n in TRIPLETS]
    assert module.figures["val/loss"] == pytest.approx(np.maximum(losses, 0).mean(), abs=1e-3)


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*LeafSpec")
def test_listed_pairs_are_judged_at_the_threshold_of_val() -> None:
    module = made()
    trainer().test(module, loader(), verbose=False)
    assert "test/accuracy" not in module.figures  # nothing was validated, so there is no threshold
    trainer().validate(module, loader(), verbose=False)
    threshold = module.card.threshold
    assert threshold is not None
    trainer().test(module, loader(), verbose=False)
    e = module.eval()(torch.from_numpy(IMAGES).permute(0, 3, 1, 2)).detach()
    right = [((e[i] - e[j]).norm() < threshold) == (IDENTITIES[i] == IDENTITIES[j]) for i, j in PAIRS]
    assert module.figures["test/accuracy"] == pytest.approx(np.mean(right))
    checkpoint: dict = {}
    module.on_save_checkpoint(checkpoint)
    assert checkpoint[KEY]["threshold"] == threshold
    fresh = made()
    fresh.on_load_checkpoint(checkpoint)
    assert fresh.card.threshold == threshold


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*LeafSpec")
def test_listed_pairs_of_val_are_judged_at_its_own_threshold() -> None:
    module = made()
    module.listed_pairs = {"val": PAIRS}
    module.card.threshold = 0.0  # of another validation: nothing would be accepted
    trainer().validate(module, loader(), verbose=False)
    threshold = module.card.threshold
    e = module.eval()(torch.from_numpy(IMAGES).permute(0, 3, 1, 2)).detach()
    right = [((e[i] - e[j]).norm() < threshold) == (IDENTITIES[i] == IDENTITIES[j]) for i, j in PAIRS]
    assert threshold > 0
    assert module.figures["val/accuracy"] == pytest.approx(np.mean(right))


def test_the_loss_of_a_part_falls_as_fewer_triplets_are_active() -> None:
    module = made()
    e = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    rows = Rows(e, torch.tensor([0, 0, 1]), torch.tensor([2, 5, 7]))
    wrong, right = [2, 7, 5], [2, 5, 7]  # losses 2 ** 0.5 + 0.2 and 0
    assert module._loss_of(rows, np.array([wrong])) == pytest.approx(2**0.5 + 0.2)
    assert module._loss_of(rows, np.array([wrong, right])) == pytest.approx((2**0.5 + 0.2) / 2)


def test_the_gradient_of_a_step_is_the_mean_over_its_batches() -> None:
    """Against a loop, of a network without BatchNorm and so of any order: one step over two batches."""
    trained, by_hand = made(), made()
    L.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, max_steps=1, accumulate_grad_batches=2, limit_train_batches=2,
    ).fit(trained, loader(6))  # fmt: skip
    by_hand.train()
    by_hand.log = lambda *_, **__: None
    losses = [by_hand.training_step(batch(np.arange(first, first + 6)), 0) for first in (0, 6)]
    (sum(losses) / 2).backward()
    for name, weight in by_hand.named_parameters():
        moved = dict(trained.named_parameters())[name]
        torch.testing.assert_close(moved, weight - 0.1 * weight.grad, rtol=1e-4, atol=1e-6, msg=name)
