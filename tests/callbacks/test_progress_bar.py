"""The figures beside the bar are fetched every few steps of training, and whenever it does not train."""

from types import SimpleNamespace

import pytest
from lightning.pytorch.callbacks import RichProgressBar

from facenet_lit.callbacks.progress_bar import ProgressBar


def test_figures_are_fetched_every_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        RichProgressBar, "get_metrics", lambda self, trainer, module: {"at": trainer.global_step}
    )
    bar = ProgressBar(3)
    shown = [bar.get_metrics(SimpleNamespace(training=True, global_step=step), None) for step in range(3, 10)]
    assert [figures["at"] for figures in shown] == [3, 3, 3, 6, 6, 6, 9]
    assert bar.get_metrics(SimpleNamespace(training=False, global_step=10), None) == {"at": 10}
