import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from entry_points import NETWORK, TINY, Ended, call, process, stop_at
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_lfw import write_lfw

from facenet_lit import evaluate, prepared_data, run_folder
from facenet_lit.batch import Batch
from facenet_lit.checkpoint import KEY
from facenet_lit.metrics.figures import figure_names
from facenet_lit.provenance import config_hash
from facenet_lit.run_folder import locked
from facenet_lit.train import main
from facenet_lit.verification_module import VerificationModule


def run(folder: Path, *arguments: str) -> Ended:
    # With dropout, whose draws a resumed run has to repeat.
    ended = call(main, *TINY, "model.dropout=0.3", "model.mirror=true", f"hydra.run.dir={folder}", *arguments)
    assert "Traceback" not in ended.err
    return ended


def read(path: Path) -> dict:
    return torch.load(path, weights_only=True)


def last_of(folder: Path) -> dict:
    return read(folder / "checkpoints" / "last.ckpt")


def same_weights(one: Path, other: Path) -> bool:
    first, second = last_of(one)["state_dict"], last_of(other)["state_dict"]
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


ELEVEN = ("trainer.steps=11", "trainer.val_every_steps=4", "callbacks.curves.share=1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A run of eleven steps: four batches an epoch, a validation every four steps and at the end."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, run(folder, *ELEVEN)


def test_a_run_leaves_its_figures_under_their_names(finished: tuple[Path, Ended]) -> None:
    folder, ended = finished
    assert ended.code == 0
    figures = json.loads((folder / "metrics.json").read_text())
    names = [*figure_names([0.1, 0.01, 0.001]), "loss"]
    rates = [name for name in names if name.startswith(("tar", "far", "eer"))]
    for part in ("val", "test"):
        told = [name for name in rates if figures[f"{part}/{name}"] is not None]
        bounds = [name + end for name in told for end in ("_low", "_high")]
        assert {name for name in figures if name.startswith(part)} == {
            f"{part}/{n}" for n in (*names, *bounds)
        }
        assert all(0 <= figures[f"{part}/{name}"] <= 1 for name in bounds)
    # Three identities of three images a part: 27 impostor pairs.
    for part in ("val", "test"):
        assert figures[f"{part}/tar_at_far_1e-2"] is figures[f"{part}/tar_at_far_1e-3_balanced"] is None
        assert 0 <= figures[f"{part}/eer_balanced"] <= 1
        assert figures[f"{part}/effective_identities"] == 3
    assert ended.out.count("impostor pairs") == 1
    assert ended.out.count("has 27: leaves out tar_at_far_1e-2, tar_at_far_1e-3") == 2


def test_a_run_tells_what_its_figures_came_from(finished: tuple[Path, Ended]) -> None:
    folder, _ = finished
    facts = json.loads((folder / "run.json").read_text())
    assert (facts["steps"], facts["seed"], facts["precision"]) == (11, 0, "32")
    assert facts["best_step"] == read(folder / "checkpoints" / "best.ckpt")["global_step"]
    assert facts["seconds"] > 0
    state = last_of(folder)["state_dict"]
    counted = [name for name in state if "running" not in name and "num_batches" not in name]
    assert facts["parameters"] <= sum(state[name].numel() for name in counted)
    assert facts["config"] == config_hash(yaml.safe_load((folder / "config.yaml").read_text()))


def test_a_run_leaves_its_config_and_log(finished: tuple[Path, Ended]) -> None:
    folder, _ = finished
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["trainer"]["steps"] == 11
    assert config["data"]["source"]["identities"] == 30  # resolved
    assert "${" not in (folder / "config.yaml").read_text()
    log = (folder / "train.log").read_text()
    assert "train 72 images of 24 identities, val 9 images of 3 identities" in log
    assert "trained 11 steps" in log


def test_the_last_lines_name_the_folder_and_how_to_look_at_it(finished: tuple[Path, Ended]) -> None:
    folder, ended = finished
    last = ended.out.strip().splitlines()[-2:]
    assert last[0].split() == ["run", "folder", str(folder)]
    assert f"-m tensorboard.main --logdir {folder.parent}" in last[1]
    assert ended.out.index(last[1]) < ended.out.index("step     4")  # and before it trains


def test_every_validation_is_told_in_a_line(finished: tuple[Path, Ended]) -> None:
    folder, ended = finished
    lines = [line for line in ended.out.splitlines() if line.startswith("step ")]
    assert len(lines) == 3
    told = [events(folder).Scalars(f"val/eer_balanced{end}") for end in ("", "_low", "_high")]
    for line, event, low, high in zip(lines, *told, strict=True):
        assert re.match(
            rf"step {event.step:5d}, +\d+%, +\d+ s: val tar [01]\.\d+, far [01]\.\d+, eer_b", line
        )
        assert line.endswith(f"eer_balanced {event.value:.3f} [{low.value:.3f}, {high.value:.3f}]")
    assert ", 100%," in lines[-1]


def test_checkpoints_are_plain_and_whole(finished: tuple[Path, Ended]) -> None:
    folder, _ = finished
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    best, last = read(folder / "checkpoints" / "best.ckpt"), last_of(folder)
    assert last["global_step"] == 11
    assert best["global_step"] in (4, 8, 11)
    assert best[KEY]["data"]["choice"] == "synthetic"
    assert len(best[KEY]["trained_identities"]) == 24
    assert len(best[KEY]["trained_pictures"]) == 72
    assert 0 < best[KEY]["threshold"] <= 2
    assert (best[KEY]["dropout"], best[KEY]["mirror"], best[KEY]["per_image"]) == (0.3, True, False)


def test_the_figures_are_those_of_the_best_checkpoint(finished: tuple[Path, Ended]) -> None:
    folder, _ = finished
    figures = json.loads((folder / "metrics.json").read_text())
    best = read(folder / "checkpoints" / "best.ckpt")["global_step"]
    logged = {event.step: event.value for event in events(folder).Scalars("val/eer_balanced")}
    assert figures["val/eer_balanced"] == pytest.approx(min(logged.values()))
    assert logged[best] == min(logged.values())


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def test_tensorboard_gets_scalars_and_the_curve(finished: tuple[Path, Ended]) -> None:
    told = events(finished[0])
    scalars = set(told.Tags()["scalars"])
    assert scalars >= {"val/tar", "val/far", "val/tar_at_far_1e-1", "val/eer_balanced", "val/loss"}
    assert scalars >= {"train/loss", "train/active_share", "train/images_per_second", "train/learning_rate"}
    assert "val/tar_at_far_1e-2" not in scalars  # not resolvable
    assert [event.step for event in told.Scalars("val/tar")] == [4, 8, 11]
    assert all(0 <= event.value <= 1 for event in told.Scalars("train/active_share"))
    assert all(event.value > 0 for event in told.Scalars("train/images_per_second"))
    assert "val/roc" in told.Tags()["images"]
    curve = cv2.imdecode(np.frombuffer(told.Images("val/roc")[-1].encoded_image_string, np.uint8), 1)
    assert curve.std() > 0


def test_the_learning_rate_follows_the_cosine(finished: tuple[Path, Ended]) -> None:
    rates = [event.value for event in events(finished[0]).Scalars("train/learning_rate")]
    assert len(rates) == 11
    warm, final = rates[0], rates[-1]
    assert warm == pytest.approx(1e-5, rel=1e-3)  # a hundredth at the first step, in the warm-up
    expected = 1e-3 * 0.5 * (1 + np.cos(np.pi * (10 / 11 - 0.03) / 0.97))
    assert final == pytest.approx(expected, rel=1e-3)


def test_the_same_seed_gives_the_same_run_and_another_does_not(
    finished: tuple[Path, Ended], tmp_path: Path
) -> None:
    folder, _ = finished
    settings = ("trainer.steps=11", "trainer.val_every_steps=4")
    run(tmp_path / "again", *settings, "test=false")
    run(tmp_path / "other", *settings, "test=false", "seed=1")
    figures = [
        json.loads((place / "metrics.json").read_text())
        for place in (folder, tmp_path / "again", tmp_path / "other")
    ]
    assert same_weights(folder, tmp_path / "again")
    assert not same_weights(folder, tmp_path / "other")
    # test=false leaves the test figures out, and nothing else.
    assert figures[1] == {name: value for name, value in figures[0].items() if name.startswith("val/")}
    assert figures[2].keys() == figures[1].keys()


STOPS = [
    ("on_train_batch_end", 2, signal.SIGTERM, 143),  # in the first epoch
    ("on_validation_end", 4, signal.SIGINT, 130),  # behind the validation at the end of one
    ("on_train_batch_end", 6, signal.SIGINT, 130),  # in the second
    ("on_train_batch_end", 8, signal.SIGTERM, 143),  # at the end of one, before its validation
]


def test_a_run_stopped_again_and_again_ends_to_the_bit_as_if_unbroken(
    finished: tuple[Path, Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    settings = ("trainer.steps=11", "trainer.val_every_steps=4", "resume=auto")
    going_on = "resume=auto: no unfinished run of this config, starting anew"
    for hook, step, signum, code in STOPS:
        with monkeypatch.context() as patch:
            stop_at(patch, hook, step, signum)
            stopped = run(tmp_path, *settings)
        assert stopped.code == code
        assert going_on in stopped.out
        assert (
            f"stopped by {signal.Signals(signum).name} at step {step}; resume=auto goes on from"
            in stopped.out
        )
        assert not (tmp_path / "metrics.json").exists()
        assert last_of(tmp_path)["global_step"] == step
        going_on = f"resume=auto: going on from step {step} in {tmp_path}"
    ended = run(tmp_path, *settings)
    assert ended.code == 0
    assert going_on in ended.out
    assert last_of(tmp_path)["global_step"] == 11
    assert same_weights(finished[0], tmp_path)
    assert (tmp_path / "metrics.json").read_text() == (finished[0] / "metrics.json").read_text()
    assert {signum: signal.getsignal(signum) for signum in before} == before


def test_a_resumed_run_keeps_its_arithmetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ("trainer.precision=auto", "resume=auto", "test=false")
    asked = []
    monkeypatch.setattr(prepared_data, "choose_precision", lambda *_: asked.append(1) or "bf16")
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 3, signal.SIGTERM)
        assert run(tmp_path, *settings).code == 143
    assert len(asked) == 1
    assert run(tmp_path, *settings).code == 0
    assert len(asked) == 1  # a probe under another load could answer otherwise
    assert last_of(tmp_path)[KEY]["precision"] == "bf16"


@pytest.mark.parametrize(
    "settings",
    [
        ["miner=hard", "loss.soft_margin=true", "sampler=pk", "sampler.identities=8", "sampler.singles=4"],
        ["loss=cosface"],
    ],
)
def test_miners_and_losses_train(tmp_path: Path, settings: list[str]) -> None:
    ended = run(tmp_path, *settings, "test=false")
    assert ended.code == 0, ended.err
    losses = [event.value for event in events(tmp_path).Scalars("train/loss")]
    assert len(losses) == 4
    assert np.isfinite(losses).all()
    assert max(losses) > 0
    assert 0 <= json.loads((tmp_path / "metrics.json").read_text())["val/loss"] < 1  # always that of triplets


def test_losses_that_switch_and_augmentation_where_the_network_is_go_on_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four batches an epoch: the softmax trains in the first, the triplets alone in the second.

    Augmented on the device, a resumed run changes the rows of a batch in the same way, and in training alone.
    """
    settings = ("loss=arcface_triplet", "loss.switch_epoch=1", "trainer.steps=7", "test=false", "resume=auto")
    settings += ("augmentation=strong", "trainer.val_every_steps=7")
    device = "augmentation.where=device"
    whole, stopped, other = (tmp_path / name for name in ("whole", "stopped", "other"))
    assert run(whole, *settings, device).code == 0
    losses = [event.value for event in events(whole).Scalars("train/loss")]
    assert min(losses[:4]) > 1 > max(losses[4:])  # a softmax at scale 32 costs more than any triplet
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 5, signal.SIGTERM)
        assert run(stopped, *settings, device).code == 143
    assert run(stopped, *settings, device).code == 0
    assert same_weights(whole, stopped)
    assert (whole / "metrics.json").read_text() == (stopped / "metrics.json").read_text()
    directions = last_of(whole)["state_dict"]["loss.first.directions"]
    assert directions.shape == (24, 16)
    assert run(other, *settings).code == 0
    assert not same_weights(whole, other)  # the device changes what is learnt


def test_gradients_are_limited_in_bfloat16_too(tmp_path: Path) -> None:
    free, limited = tmp_path / "free", tmp_path / "limited"
    settings = ["trainer.precision=bf16", "optimizer=sgd", "optimizer.weight_decay=0", "test=false"]
    settings += ["trainer.steps=1", "trainer.val_every_steps=1"]
    assert run(free, *settings).code == 0
    assert run(limited, *settings, "trainer.gradient_clip=1e-12").code == 0
    start = run(tmp_path / "start", *settings, "optimizer.lr=1e-30")
    assert start.code == 0

    def moved(folder: Path) -> float:
        before, after = (last_of(each)["state_dict"] for each in (tmp_path / "start", folder))
        return max(float((after[n] - before[n]).abs().max()) for n in before if n.endswith("weight"))

    assert moved(free) > 100 * moved(limited)


def test_a_step_of_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are the optimiser's, an epoch's odd batch is left out, and a stopped run goes on behind a whole step."""
    settings = ("trainer.accumulate=3", "trainer.steps=4", "trainer.chunk=10", "test=false", "resume=auto")
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    batches: list[tuple[int, int]] = []
    step = VerificationModule.training_step

    def counted(self: VerificationModule, batch: Batch, batch_idx: int) -> torch.Tensor:
        batches.append(batch.place)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(VerificationModule, "training_step", counted)
    assert run(whole, *settings).code == 0
    assert batches == [(epoch, batch) for epoch in range(4) for batch in range(3)]  # of four
    assert json.loads((whole / "run.json").read_text())["steps"] == 4
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 1, signal.SIGTERM)
        assert run(stopped, *settings).code == 143
    assert last_of(stopped)["global_step"] == 1
    assert run(stopped, *settings).code == 0
    assert same_weights(whole, stopped)


def test_a_run_that_ends_early_goes_on_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped a step before its last validation, and in it, when it is clear that it ends."""
    settings = ("patience=2", "trainer.steps=200", "trainer.val_every_steps=3", "resume=auto")
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    ended = run(whole, *settings)
    assert "val/eer_balanced is not better since 2 validations: the run ends" in ended.out
    end = last_of(whole)["global_step"]
    assert read(whole / "checkpoints" / "best.ckpt")["global_step"] == end - 2 * 3 < 194
    for hook, before in (("on_train_batch_end", 1), ("on_validation_end", 0)):
        with monkeypatch.context() as patch:
            stop_at(patch, hook, end - before, signal.SIGTERM)
            assert run(stopped, *settings).code == 143
        assert last_of(stopped)["global_step"] == end - before
    assert run(stopped, *settings).code == 0
    assert same_weights(whole, stopped)
    assert (stopped / "metrics.json").read_text() == (whole / "metrics.json").read_text()


def test_fine_tuning(finished: tuple[Path, Ended], tmp_path: Path) -> None:
    start = f"model.weights={finished[0] / 'checkpoints' / 'best.ckpt'}"
    frozen = run(tmp_path / "frozen", start, "model.freeze=true", "data.seed=3", "test=false")
    assert frozen.code == 0, frozen.err
    before, after = read(finished[0] / "checkpoints" / "best.ckpt"), last_of(tmp_path / "frozen")
    kept = {
        name: torch.equal(weight, before["state_dict"][name])
        for name, weight in after["state_dict"].items()
        if name.startswith(("embedder.backbone.", "embedder.head.0"))
    }
    assert {name for name, same in kept.items() if not same} == {"embedder.head.0.weight"}
    assert len(after[KEY]["trained_identities"]) == 48  # those of both runs
    slow = run(tmp_path / "slow", start, "optimizer.backbone_lr=0", "data.seed=3", "test=false")
    assert slow.code == 0, slow.err
    stem = "embedder.backbone.stem.0.weight"
    assert torch.equal(last_of(tmp_path / "slow")["state_dict"][stem], before["state_dict"][stem])
    dataset = run(tmp_path / "dataset", start, "data.normalize=dataset")
    assert dataset.err == f"error: {start}: was trained with data.normalize=half, not dataset; say so\n"
    leak = run(tmp_path / "leak", start, "data.split_seed=1")
    assert leak.code == 2
    assert "leak: the checkpoint was trained on" in leak.err
    assert "start from weights that have not seen them" in leak.err
    assert run(tmp_path / "wide", start, "model.embedding_size=8").err.startswith(
        f"error: {start}: does not fit"
    )


def test_a_resumed_run_needs_no_weights_and_forgets_nobody(
    finished: tuple[Path, Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = tmp_path / "start.ckpt"
    start.write_bytes((finished[0] / "checkpoints" / "best.ckpt").read_bytes())
    settings = (
        f"model.weights={start}",
        "optimizer.backbone_lr=1e-4",
        "data.seed=3",
        "test=false",
        "resume=auto",
    )
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert run(whole, *settings).code == 0
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 3, signal.SIGTERM)
        assert run(stopped, *settings).code == 143
    start.unlink()
    ended = run(stopped, *settings)
    assert ended.code == 0, ended.err
    assert same_weights(whole, stopped)
    assert len(last_of(stopped)[KEY]["trained_identities"]) == 48


def test_a_run_is_gone_on_with_whatever_the_order_of_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    settings = (*TINY, "resume=auto", "test=false", "--config-dir", "mine")
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 3, signal.SIGTERM)
        assert call(main, *settings).code == 143
    ended = call(main, *settings)
    assert ended.code == 0, ended.err
    assert "going on from step 3 in" in ended.out


def test_resume_finds_the_unfinished_run_of_this_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = (*TINY, "hydra.run.dir=runs/tiny/${now:%H-%M-%S-%f}", "resume=auto", "test=false")
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 3, signal.SIGTERM)
        assert call(main, *settings).code == 143
    (stopped,) = Path("runs/tiny").iterdir()
    with locked(stopped):  # a run that is going on is left alone
        assert "starting anew" in call(main, *settings).out
    changed = call(main, *settings, "loss.margin=0.3")
    assert "starting anew" in changed.out
    assert len(list(Path("runs/tiny").iterdir())) == 3
    assert last_of(stopped)["global_step"] == 3
    ended = call(main, *settings)
    assert f"going on from step 3 in {tmp_path / stopped}" in ended.out.replace("\n", "")
    assert (stopped / "metrics.json").exists()
    assert len(list(Path("runs/tiny").iterdir())) == 3


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path):
        ended = run(tmp_path)
    assert ended.code == 2
    assert "another process is training there" in ended.err


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a run, what Hydra writes there too."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=1", "holds a finished run"),
        ("metrics.fars=[1e-3]", "holds a finished run"),
        ("loss.margin=abc", "holds a finished run"),
        ("resume=auto", "holds a finished run of another config"),
    ],
)
def test_a_finished_run_is_left_as_it_is(finished: tuple[Path, Ended], override: str, message: str) -> None:
    folder = finished[0]
    before = contents(folder)
    refused = run(folder, override)
    assert refused.code == 2
    assert message in refused.err
    assert "name another folder, or delete it" in refused.err
    assert contents(folder) == before


def test_a_finished_run_said_again_is_skipped(finished: tuple[Path, Ended]) -> None:
    started = (".hydra/", "train.log")  # how the same run was started, which is told again
    before = {
        path: text
        for path, text in contents(finished[0]).items()
        if not any(name in path for name in started)
    }
    ended = run(finished[0], *ELEVEN, "resume=auto")
    assert ended.code == 0
    assert ended.out.strip() == f"resume=auto: {finished[0]} holds this run, finished; nothing is left to do"
    assert contents(finished[0]).items() >= before.items()


def test_a_refused_run_leaves_no_trace_of_a_run(tmp_path: Path) -> None:
    assert run(tmp_path, "metrics.fars=[1e-3]").code == 2
    assert {path.name for path in tmp_path.iterdir()} <= {".hydra", ".lock", "train.log"}
    assert run(tmp_path, "test=false").code == 0  # so the folder is still free


def test_who_loses_the_race_for_a_run_looks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = (*TINY, "hydra.run.dir=runs/${now:%H-%M-%S-%f}", "resume=auto", "test=false")
    with monkeypatch.context() as patch:
        stop_at(patch, "on_train_batch_end", 3, signal.SIGTERM)
        assert call(main, *settings).code == 143
    (stopped,) = Path("runs").iterdir()
    answers = [False]  # at the first look nobody holds it
    monkeypatch.setattr(run_folder, "is_locked", lambda _: answers.pop() if answers else True)
    with locked(stopped):
        ended = call(main, *settings)
    assert ended.code == 0, ended.err
    assert "another process took that run first, looking again" in ended.out
    assert "starting anew" in ended.out
    assert last_of(stopped)["global_step"] == 3
    assert len(list(Path("runs").iterdir())) == 2


def wait_for(condition: Callable[[], bool], process_: subprocess.Popen[str]) -> None:
    while not condition():
        assert process_.poll() is None, process_.communicate()[0]
        time.sleep(0.02)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As in the processes that are started."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_a_killed_run_goes_on_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    settings = (
        *TINY,
        "resume=auto",
        "checkpoint.every_seconds=0.1",
        "patience=2",
        "checkpoint.best_from=0.4",
    )
    settings += ("test=false", "trainer.steps=100", "trainer.val_every_steps=20", "model.dropout=0.3")
    with process([*settings, "hydra.run.dir=run"], tmp_path) as killed:
        wait_for(last.exists, killed)
        killed.kill()
        assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "run" / "metrics.json").exists()
    reached = read(last)["global_step"]
    assert 0 < reached < 80
    outs = {}
    for name in ("run", "whole"):
        ended = call(main, *settings, f"hydra.run.dir={name}")
        assert ended.code == 0, ended.err
        outs[name] = ended.out
    assert f"going on from step {reached} in" in outs["run"]
    assert "anew" in outs["whole"]
    assert 80 <= read(last)["global_step"] <= 100
    assert same_weights(tmp_path / "whole", tmp_path / "run")
    metrics = [(tmp_path / name / "metrics.json").read_text() for name in ("run", "whole")]
    assert metrics[0] == metrics[1]


def test_a_folder_of_pictures_is_trained_on(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for person in range(25):
        (tmp_path / "faces" / f"P{person}").mkdir(parents=True)
        for number in range(2):
            picture = random.integers(0, 256, (70, 80, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "faces" / f"P{person}" / f"{number}.png"), picture)
    settings = (
        "data=folder", f"data.root={tmp_path / 'faces'}", "data.batch_size=30", "trainer.minutes=null",
        "trainer.steps=2", "trainer.precision=bf16", "data.normalize=dataset", "augmentation=strong",
        "sampler.removal=none", "miner=masked", "optimizer=sgd", "scheduler=step", "monitor=val/auc",
        f"data.cache={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / 'run'}",
    )  # fmt: skip
    ended = call(main, *settings, *NETWORK)
    assert ended.code == 0, ended.err
    card = last_of(tmp_path / "run")[KEY]
    assert card["precision"] == "bf16"
    assert 0.4 < card["mean"][0] < 0.6
    assert card["std"][0] == pytest.approx(0.2, abs=0.1)
    assert list((tmp_path / "cache").iterdir())


def test_lfw_from_training_to_listed_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """View 1 on drawn faces in LFW's layout, with all that make lfw sets, and its list scored again."""
    monkeypatch.chdir(tmp_path)
    write_lfw(tmp_path, size=80)
    settings = (
        "data=lfw", "data.root=lfw", "data.crop=76", "data.normalize=image", "data.batch_size=20",
        "sampler=pk", "sampler.identities=5", "sampler.images=4", "sampler.singles=0", "sampler.short=views",
        "miner.views=true", "model.dropout=0.2", "model.mirror=true", "model.arguments.grid=2",
        "trainer.steps=6", "trainer.minutes=null", "trainer.val_every_steps=3", "trainer.precision=32",
        "hydra.run.dir=run",
    )  # fmt: skip
    ended = call(main, *settings, *NETWORK)
    assert ended.code == 0, ended.err
    figures = json.loads(Path("run/metrics.json").read_text())
    assert figures["test/accuracy"] in [pytest.approx(k / 18) for k in range(19)]  # nine people
    assert "val/accuracy" not in figures
    best = "checkpoint=run/checkpoints/best.ckpt"
    again = call(evaluate.main, best, "pairs=pairsDevTest.txt", "hydra.run.dir=pairs", "metrics.fars=[0.5]")
    assert again.code == 0, again.err
    listed = json.loads(Path("pairs/metrics.json").read_text())
    assert listed["test/accuracy"] == pytest.approx(figures["test/accuracy"])
    assert call(evaluate.main, best, "hydra.run.dir=pairs2").code == 0
    every = json.loads(Path("pairs2/metrics.json").read_text())
    assert every["test/eer_balanced"] == pytest.approx(figures["test/eer_balanced"])
