import logging
from types import SimpleNamespace

import pytest
import torch

from facenet_lit.budget import Budget
from facenet_lit.callbacks.validation_lines import ValidationLines, validation_line
from facenet_lit.checkpoint import ModelCard
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import GivenMiner
from facenet_lit.verification_module import VerificationModule

FIGURES = {"val/tar": 0.8125, "val/far": 0.05, "val/eer_balanced": 0.1239, "val/auc": 0.9}


def test_a_line_is_compact() -> None:
    budget = Budget(steps=300)
    budget.steps_spent, budget.seconds_spent = 100, 58.7
    line = validation_line(100, budget, FIGURES)
    assert line == "step   100,  33%,   59 s: val tar 0.812, far 0.050, eer_balanced 0.124"
    bounds = {
        "val/eer_balanced_low": 0.1,
        "val/eer_balanced_high": 0.15,
        "val/tar_low": 0.8,
        "val/tar_high": 0.9,
    }
    assert validation_line(100, budget, FIGURES | bounds) == f"{line} [0.100, 0.150]"
    assert "tar -, far 0.050" in validation_line(100, budget, {**FIGURES, "val/tar": None})


@pytest.mark.parametrize(("state", "lines"), [("fit", 1), ("validate", 0)])
def test_only_validations_of_training_are_told(
    caplog: pytest.LogCaptureFixture, state: str, lines: int
) -> None:
    small = {"depths": [1], "cardinality": 1, "group_width": 2, "width": 4, "expansion": 2}
    card = ModelCard("resnext", small, 4, [0.5] * 3, [0.5] * 3)
    module = VerificationModule(
        card.build(), card, {}, GivenMiner(), TripletLoss(), TripletLoss(), torch.optim.Adam, {}, {}
    )
    module.figures = dict(FIGURES)
    trainer = SimpleNamespace(state=SimpleNamespace(fn=state), global_step=7)
    with caplog.at_level(logging.INFO):
        ValidationLines(Budget(steps=10)).on_validation_end(trainer, module)
    assert [record.getMessage().startswith("step     7") for record in caplog.records] == [True] * lines
