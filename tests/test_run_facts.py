"""What run.json tells of a run's end."""

import logging

import pytest
from test_verification_module import made

from facenet_lit.budget import Budget
from facenet_lit.callbacks.embedding_health import EmbeddingHealth
from facenet_lit.run_facts import facts_of


@pytest.mark.parametrize(
    ("best", "said"), [(20, "the best is step 20"), (None, "there is no checkpoint to score")]
)
def test_facts_are_those_of_budget_callbacks_and_network(
    best: int | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    budget, health, module = Budget(steps=30), EmbeddingHealth(), made()
    budget.steps_spent, budget.seconds_spent, budget.images_spent = 30, 2.04, 510
    health.ended_by, health.told = "collapse", ["collapse at step 30: seen"]
    with caplog.at_level(logging.INFO):
        facts = facts_of(budget, best, iter([health]), module)
    assert facts == {
        "processes": 1,
        "steps": 30,
        "seconds": 2.0,
        "images_per_second": 250.0,
        "best_step": best,
        "ended_by": "collapse",
        "health": ["collapse at step 30: seen"],
        "parameters": sum(weight.numel() for weight in module.embedder.parameters()),
        "precision": "32",
    }
    assert caplog.messages == [f"trained 30 steps in 2 s; {said}"]


def test_a_run_that_nothing_ended() -> None:
    budget = Budget(steps=1)
    budget.seconds_spent = 1.0
    facts = facts_of(budget, 1, [], made())
    assert (facts["ended_by"], facts["health"]) == (None, [])
