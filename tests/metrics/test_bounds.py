from __future__ import annotations

import numpy as np
import pytest
import torch

from facenet_lit.batch import Rows
from facenet_lit.metrics import bounds as bounds_module
from facenet_lit.metrics.bounds import beside, bounded, without_bounds
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs


def drawn_rows(people: int, images: int = 3) -> Rows:
    generator = torch.Generator().manual_seed(0)
    identities = torch.arange(people * images) // images
    centres = torch.randn(people, 8, generator=generator)
    noise = torch.randn(people * images, 8, generator=generator)
    return Rows(
        torch.nn.functional.normalize(centres[identities] + noise), identities, torch.arange(len(identities))
    )


def told_and_bounds(rows: Rows, replicates: int = 300):
    told = figures(score_all_pairs(*rows[:3]), 0.9, [0.1, 1e-9])
    return told, bounded(told, rows, replicates, 0.9, [0.1, 1e-9])


def test_every_rate_lies_between_its_bounds_and_no_other_figure_has_any():
    told, found = told_and_bounds(drawn_rows(50))
    assert not found.warnings
    rates = [
        "tar",
        "far",
        "tar_at_far_1e-1",
        "eer",
        "tar_balanced",
        "tar_at_far_1e-1_balanced",
        "eer_balanced",
    ]
    assert set(found.figures) == {name + end for name in rates for end in ("_low", "_high")}
    assert told["tar_at_far_1e-9"] is None
    for name in rates:
        assert 0 <= found.figures[name + "_low"] < told[name] < found.figures[name + "_high"] <= 1


def test_the_same_rows_have_the_same_bounds_in_any_order():
    rows = drawn_rows(40)
    order = torch.randperm(120, generator=torch.Generator().manual_seed(1))
    shuffled = Rows(*(column[order] for column in rows[:3]))
    assert told_and_bounds(shuffled)[1].figures == pytest.approx(told_and_bounds(rows)[1].figures)


def test_few_people_get_a_warning_and_wide_bounds():
    _, found = told_and_bounds(drawn_rows(12))
    (line,) = found.warnings
    assert line.startswith("bounds of far (6 trials); tar, ")
    assert line.endswith(
        " (12 trials): Clopper-Pearson, as fewer than 30 effective identities or a rate of 0 or 1 do not carry "
        "a bootstrap; they are wide"
    )
    assert "\n" not in line
    assert found.figures["tar_high"] - found.figures["tar_low"] > 0.4


def test_where_the_balanced_rates_have_a_bootstrap_they_are_pointed_to():
    rows = drawn_rows(120, 2)
    assert not told_and_bounds(rows)[1].warnings
    many = Rows(rows.embeddings, rows.identities.where(rows.identities >= 5, 0), rows.numbers)
    (line,) = told_and_bounds(many)[1].warnings
    assert line.startswith("bounds of tar, eer, tar_at_far_1e-1 (12 trials): Clopper-Pearson")
    assert line.endswith("they are wide: read the _balanced figures")


def test_a_rate_of_1_has_a_bound_below_it():
    rows = drawn_rows(50)
    same = Rows(rows.embeddings[::3].repeat_interleave(3, 0), *rows[1:3])
    told, found = told_and_bounds(same)
    assert told["tar"] == 1.0
    assert found.figures["tar_high"] == 1.0
    assert found.figures["tar_low"] == pytest.approx(0.025 ** (1 / 50))
    assert len(found.warnings) == 1


def test_no_replicates_or_too_many_pairs_give_no_bounds(monkeypatch):
    rows = drawn_rows(40)
    assert told_and_bounds(rows, 0)[1] == ({}, [])
    monkeypatch.setattr(bounds_module, "HELD", 120 * 119 // 2 - 1)
    figures_of, (line,) = told_and_bounds(rows)[1]
    assert figures_of == {}
    assert line.startswith("no bounds: 120 images have more than 7,139 pairs")
    alone = Rows(*(column[::3] for column in rows[:3]))
    assert told_and_bounds(alone)[1] == ({}, [])


def test_accuracy_of_a_list_alone():
    rows = drawn_rows(60, 2)
    listed = np.array([[2 * k, 2 * k + 1] for k in range(60)] + [[2 * k, 2 * k + 2] for k in range(59)])
    found = bounded({"accuracy": 0.7}, rows, 300, 0.9, [0.1], listed, 0.9)
    assert set(found.figures) == {"accuracy_low", "accuracy_high"}
    assert found.figures["accuracy_low"] <= 0.7 <= found.figures["accuracy_high"]


def test_bounds_stand_beside_their_figures():
    told = beside({"eer": 0.1, "auc": 0.9, "tar": None}, {"eer_low": 0.05, "eer_high": 0.2})
    assert list(told.items()) == [
        ("eer", 0.1),
        ("eer_low", 0.05),
        ("eer_high", 0.2),
        ("auc", 0.9),
        ("tar", None),
    ]


def test_the_figure_of_a_bound():
    assert without_bounds("val/eer_balanced_low") == "val/eer_balanced"
    assert without_bounds("tar_high") == "tar"
    assert without_bounds("far") == "far"
