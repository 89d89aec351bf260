from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from gloo_processes import Processes

from facenet_lit import gathering
from facenet_lit.errors import UserError
from facenet_lit.metrics import verification
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs
from facenet_lit.metrics.verification import VerificationMetric

FARS = (0.354, 0.1, 0.01)


def rows(images: int = 41) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    identities = torch.arange(images) % 9
    centres = torch.randn(9, 8, generator=generator)
    embeddings = centres[identities] + torch.randn(images, 8, generator=generator)
    return torch.nn.functional.normalize(embeddings), identities, torch.arange(images) + 100


def of_one_update() -> VerificationMetric:
    metric = VerificationMetric(1.0, FARS)
    metric.update(*rows())
    return metric


def test_updates_in_batches_with_repeats_equal_one_update():
    embeddings, identities, numbers = rows()
    whole, batches = of_one_update(), VerificationMetric(1.0, FARS)
    for index in torch.randperm(41, generator=torch.Generator().manual_seed(1)).split(10):
        index = torch.cat([index, index[:1]])
        batches.update(embeddings[index], identities[index], numbers[index])
    assert batches.compute() == whole.compute() == figures(whole.pairs, 1.0, FARS)
    for one, other in zip(batches.collected()[:3], whole.collected()[:3], strict=True):
        assert torch.equal(one, other)


def test_what_was_computed_last_stays_after_a_reset():
    metric = of_one_update()
    metric.compute()
    metric.reset()
    assert len(metric.pairs.genuine) + len(metric.pairs.impostor) == 41 * 40 // 2
    assert metric.collected().numbers.tolist() == list(range(100, 141))
    embeddings, identities, numbers = rows()
    metric.update(embeddings[:5], identities[:5], numbers[:5])
    metric.compute()
    assert metric.collected().numbers.tolist() == list(range(100, 105))


def test_pairs_are_compared_where_the_network_is(monkeypatch):
    asked = []

    def score(*columns, device):
        asked.append(torch.device(device).type)
        return score_all_pairs(*columns)

    monkeypatch.setattr(verification, "score_all_pairs", score)
    metric, expected = VerificationMetric(1.0, FARS), of_one_update().compute()
    torch.nn.ModuleDict({"val": metric}).to("meta")  # as a trainer moves the module that holds it
    metric.update(*rows())
    assert metric.compute() == expected
    assert of_one_update().compute() == expected
    assert asked == ["cpu", "meta", "cpu"]


def test_rows_are_kept_in_float32_without_a_graph():
    metric = VerificationMetric(1.0, FARS)
    embeddings, identities, numbers = rows()
    metric.update(embeddings.double().requires_grad_(), identities.int(), numbers.int())
    metric.compute()
    collected = metric.collected()
    assert collected.embeddings.dtype == torch.float32
    assert not collected.embeddings.requires_grad
    assert collected.identities.dtype == collected.numbers.dtype == torch.int64


def test_collected_before_anything_was_computed_says_what_to_do():
    with pytest.raises(RuntimeError, match="call that first"):
        of_one_update().collected()


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_without_rows_every_figure_is_none():
    assert set(VerificationMetric(1.0, FARS).compute().values()) == {None}


def test_embeddings_that_hold_nan_are_refused():
    metric = VerificationMetric(1.0, FARS)
    embeddings, identities, numbers = rows()
    metric.update(embeddings.log(), identities, numbers)
    with pytest.raises(UserError, match="embeddings hold NaN"):
        metric.compute()


def test_rows_that_are_not_finite_are_counted() -> None:
    metric = VerificationMetric(1.1, [0.1])
    assert metric.rows_not_finite() == 0
    embeddings, people, numbers = rows()
    metric.update(embeddings, people, numbers)
    assert metric.rows_not_finite() == 0
    embeddings = embeddings.clone()
    embeddings[3, 1], embeddings[3, 2], embeddings[7, 0] = torch.nan, torch.inf, -torch.inf
    metric.update(embeddings, people, numbers)
    assert metric.rows_not_finite() == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"threshold": -1.0}, "metrics.threshold"),
        ({"threshold": "a"}, "metrics.threshold"),
        ({"fars": [0.1, 0.0]}, "metrics.fars"),
        ({"fars": [2]}, "metrics.fars"),
        ({"fars": [0.1, 0.1]}, "take the repeats out"),
    ],
)
def test_bad_settings_are_refused(arguments, named):
    with pytest.raises(UserError, match=named):
        VerificationMetric(**{"threshold": 1.0, "fars": FARS, **arguments})


def test_a_metric_can_be_pickled_with_its_state():
    metric = pickle.loads(pickle.dumps(of_one_update()))
    assert metric.compute() == of_one_update().compute()


def padded(lonely: bool) -> tuple:
    """The figures of this process, and the rows and pairs that the first has.

    The rows are dealt as a padding sampler does: turn by turn, the last image once more; or all to the last process.
    """
    me, world = gathering.rank(), gathering.world_size()
    metric = VerificationMetric(1.0, FARS)
    embeddings, identities, numbers = rows()
    index = torch.cat([torch.arange(41), torch.tensor([0])])
    index = index[me::world] if not lonely else index[: 42 * (me == world - 1)]
    for part in index.split(8):
        if len(part):
            metric.update(embeddings[part], identities[part], numbers[part])
    figures = metric.compute()
    if me != gathering.FIRST:
        with pytest.raises(RuntimeError, match="only the first process has them"):
            metric.collected()
        return figures, None, metric.pairs
    return figures, metric.collected().numbers, metric.pairs.impostor.values()


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
@pytest.mark.parametrize("lonely", [False, True])
@pytest.mark.parametrize("world", [2, 4])
def test_several_processes_give_the_figures_of_one(together: Processes, world: int, lonely: bool) -> None:
    metric = of_one_update()
    expected = metric.compute()
    (figures, numbers, impostor), *others = together(world, padded, lonely)
    assert figures == expected
    assert numbers.tolist() == list(range(100, 141))
    assert np.array_equal(impostor, metric.pairs.impostor.values())
    assert others == [(expected, None, None)] * (world - 1)
