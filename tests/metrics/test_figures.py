from __future__ import annotations

import pytest
import torch

from facenet_lit.metrics import rates
from facenet_lit.metrics.figures import far_name, figure_names, figures, higher_is_better
from facenet_lit.metrics.operating_points import eer
from facenet_lit.metrics.pair_scoring import score_all_pairs
from facenet_lit.metrics.scored_pairs import ScoredPairs


def rows(images: int = 41) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    identities = torch.arange(images) % 9
    centres = torch.randn(9, 8, generator=generator)
    embeddings = centres[identities] + torch.randn(images, 8, generator=generator)
    return torch.nn.functional.normalize(embeddings), identities, torch.arange(images) + 100


def test_names_are_those_of_the_figures():
    assert figure_names([0.1, 0.354]) == [
        *("tar", "far", "tar_at_far_1e-1", "tar_at_far_0.354", "eer", "auc", "genuine_distance"),
        *("tar_balanced", "tar_at_far_1e-1_balanced", "tar_at_far_0.354_balanced", "eer_balanced"),
        *("auc_balanced", "genuine_distance_balanced", "impostor_distance", "effective_identities"),
    ]


@pytest.mark.parametrize(
    ("f", "name"),
    [
        *((0.1, "1e-1"), (0.01, "1e-2"), (0.001, "1e-3"), (1e-3, "1e-3"), (1e-5, "1e-5"), (1e-10, "1e-10")),
        *((0.354, "0.354"), (0.5, "0.5"), (0.25, "0.25"), (2e-5, "2e-5"), (1, "1")),
    ],
)
def test_name_of_a_far(f, name):
    assert far_name(f) == name


def test_each_figure_is_its_rate():
    pairs = score_all_pairs(*rows())
    told = figures(pairs, 1.0, [0.1])
    for ending, balanced in (("", False), ("_balanced", True)):
        assert told["tar" + ending] == rates.tar(pairs, 1.0, balanced)
        assert told["tar_at_far_1e-1" + ending] == rates.tar_at_far(pairs, 0.1, balanced)
        assert told["eer" + ending] == eer(pairs, balanced).rate
        assert told["auc" + ending] == rates.auc(pairs, balanced)
        assert told["genuine_distance" + ending] == rates.genuine_distance(pairs, balanced)
    assert told["eer"] != told["eer_balanced"]
    assert told["far"] == rates.far(pairs, 1.0)
    assert told["impostor_distance"] == rates.impostor_distance(pairs)
    assert 8 < told["effective_identities"] < 9


def test_what_can_not_be_measured_is_none():
    told = figures(ScoredPairs.of([1.0], [0], [1.5] * 20), 1.1, [0.1, 0.01])
    assert told["tar_at_far_1e-1"] == 1.0
    assert told["tar_at_far_1e-2"] is told["tar_at_far_1e-2_balanced"] is None
    assert set(figures(ScoredPairs.of([], [], []), 1.1, [0.1]).values()) == {None}


def test_which_figures_should_be_high():
    for name in ("tar", "auc", "impostor_distance", "accuracy", "tar_at_far_1e-3", "tar_at_far_0.354"):
        assert higher_is_better(name)
        assert higher_is_better(f"val/{name}_balanced")
    for name in ("far", "eer", "eer_balanced", "genuine_distance", "loss"):
        assert not higher_is_better(f"val/{name}")
