import pytest

from facenet_lit.health.diagnosis import Diagnosis, signs_of
from facenet_lit.health.illnesses import ILLNESSES


def test_a_message_says_what_when_by_which_signs_and_what_to_do() -> None:
    one = Diagnosis("partial_collapse", 40, {"effective_rank": 1.23456, "spread": 0.5}, ["first", "second"])
    head = (
        "partial collapse at step 40: the embeddings lie in few dimensions (effective rank 1.235, spread 0.5)"
    )
    assert one.text() == f"health: {head}; check in this order:\n  1. first\n  2. second"
    assert one.sentence == "The embeddings lie in few dimensions (effective rank 1.235, spread 0.5)."
    assert one.advice == "check in this order:\n  1. first\n  2. second"
    assert one.markdown() == f"**{head}**\n\nCheck in this order:\n\n1. first\n2. second"


@pytest.mark.parametrize("illness", ILLNESSES)
def test_signs_are_those_that_were_measured(illness: str) -> None:
    assert signs_of(illness, {}) == {}
    names = ("loss", "mean", "spread", "effective_rank", "training_loss", "validation_loss", "active_share")
    found = signs_of(illness, dict.fromkeys((*names, "other"), 1.0))
    assert found
    assert "other" not in found
