"""How often pictures are drawn, in real training whose clock is set by hand."""

from collections.abc import Iterator
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from test_verification_module import batch, loader, made
from torch.utils.data import DataLoader

from facenet_lit.callbacks import drawing
from facenet_lit.callbacks.drawing import DrawingCallback, Moment
from facenet_lit.errors import UserError
from facenet_lit.loggers.csv_logger import RunCsvLogger
from facenet_lit.plots.style import new_axes
from facenet_lit.verification_module import VerificationModule


class Clock:
    """Seconds that pass only where this test lets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow(DrawingCallback):
    """One picture, of ``cost`` seconds; a step of training takes one."""

    def __init__(self, share: float, clock: Clock, cost: float) -> None:
        super().__init__("callbacks.slow", share)
        self.clock, self.cost = clock, cost
        self.drawn: list[tuple[str, float]] = []

    def figures(
        self, trainer: L.Trainer, module: VerificationModule, moment: Moment
    ) -> Iterator[tuple[str, Figure]]:
        assert module.metric(moment.part).pairs is not None
        self.clock.now += self.cost
        self.drawn.append((moment.words, self.clock.now))
        yield "line", new_axes(moment.words)[0]

    def on_train_batch_end(self, *arguments: object) -> None:
        self.clock.now += 1


def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, cost: float, steps: int) -> Slow:
    clock = Clock()
    monkeypatch.setattr(drawing.time, "perf_counter", clock)
    slow = Slow(share, clock, cost)
    module = made()
    trainer = L.Trainer(
        accelerator="cpu", logger=RunCsvLogger(str(tmp_path)), callbacks=[slow], max_steps=steps,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        num_sanity_val_steps=0, use_distributed_sampler=False, val_check_interval=1,
        check_val_every_n_epoch=None, log_every_n_steps=1, barebones=False,
    )  # fmt: skip
    training = DataLoader([batch(np.arange(12))] * steps, batch_size=None)
    trainer.fit(module, training, loader(12))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    trainer.validate(module, loader(12), tmp_path / "last.ckpt", verbose=False, weights_only=True)
    trainer.test(module, loader(12), tmp_path / "last.ckpt", verbose=False, weights_only=True)
    return slow


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_drawing_keeps_to_its_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = trained(tmp_path, monkeypatch, 0.2, 1.0, 30)
    *while_training, best, test = slow.drawn
    for number, (_, ended) in enumerate(while_training, 1):
        assert number * 1.0 <= 0.2 * ended + 0.5  # before the first, what it will take is a guess
    assert 4 <= len(while_training) <= 8
    assert (best[0], test[0]) == ("val, best step 30", "test, best step 30")
    files = sorted(str(path.relative_to(tmp_path / "pictures")) for path in tmp_path.rglob("*.png"))
    shown = [f"val/line-{int(words.split()[-1]):06d}.png" for words, _ in while_training]
    assert files == sorted([*shown, "val_best/line-000030.png", "test/line-000030.png"])


def test_all_of_the_time_draws_each_and_none_draws_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [told for told, _ in trained(tmp_path / "all", monkeypatch, 1, 50.0, 3).drawn]
    assert words == ["val, step 1", "val, step 2", "val, step 3", "val, best step 3", "test, best step 3"]
    assert trained(tmp_path / "none", monkeypatch, 0, 0.0, 3).drawn == []
    assert not list((tmp_path / "none").rglob("*.png"))


def test_bad_shares() -> None:
    with pytest.raises(
        UserError, match=r"^callbacks\.slow\.share=1\.5: expected a number of 0 or more and at"
    ):
        Slow(1.5, Clock(), 1)
