import signal
from pathlib import Path

import pytest
from entry_points import TINY, call

from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.train import main

STOPS = [(stage, signum) for stage in ("val", "test") for signum in (signal.SIGINT, signal.SIGTERM)]


def test_a_run_stopped_again_and_again_while_it_is_scored_says_so_and_is_scored_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (*TINY, "resume=auto", f"hydra.run.dir={tmp_path / 'run'}")
    for number, (stage, signum) in enumerate(STOPS):
        original, before = getattr(FaceDataModule, f"{stage}_dataloader"), signal.getsignal(signum)

        def stopping(self: FaceDataModule, original=original, signum=signum) -> object:
            if self.trainer is not None and self.trainer.state.fn != "fit":
                signal.raise_signal(signum)
            return original(self)

        with monkeypatch.context() as patch:
            patch.setattr(FaceDataModule, f"{stage}_dataloader", stopping)
            stopped = call(main, *settings)
        assert stopped.code == {signal.SIGINT: 130, signal.SIGTERM: 143}[signum]
        assert "Traceback" not in stopped.err
        assert ("going on from step 4" in stopped.out) == (number > 0)
        name = signal.Signals(signum).name
        line = f"stopped by {name} while the best checkpoint was scored; resume=auto scores it"
        assert stopped.out.splitlines()[-1] == line
        assert not (tmp_path / "run" / "metrics.json").exists()
        assert signal.getsignal(signum) == before
    ended = call(main, *settings)
    assert ended.code == 0, ended.err
    assert "going on from step 4" in ended.out
    assert "trained 4 steps" in ended.out
    assert (tmp_path / "run" / "metrics.json").exists()
