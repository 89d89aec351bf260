"""Real runs: trained into an illness, and healthy ones, which hear nothing."""

import csv
import json
from pathlib import Path

import pytest
import torch
from entry_points import SETTINGS, TINY, Ended, begin, call
from gloo_processes import Processes
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_processes import ended as ended_process
from test_processes import start
from test_run_record import table_of_runs

from facenet_lit import gathering
from facenet_lit.batch import Batch, Rows
from facenet_lit.callbacks import embedding_health
from facenet_lit.callbacks.embedding_health import EmbeddingHealth, ended_by, told_of
from facenet_lit.errors import UserError
from facenet_lit.health.vitals import Shape, shape_of
from facenet_lit.losses.loss import LossSum
from facenet_lit.places import MEETING, Place
from facenet_lit.processes import dismiss, follow
from facenet_lit.train import main, take_part, train
from facenet_lit.verification_module import VerificationModule

OFTEN = ["callbacks.health.every_steps=1", "trainer.steps=8", "trainer.val_every_steps=8", "test=false"]
# What the loss stuck at the margin comes of.
PLAIN = [
    *SETTINGS, "model=inception_plain", "model.arguments.width=0.125", "optimizer=adam", "optimizer.lr=0.05",
    "scheduler=constant", "augmentation=none",
]  # fmt: skip


def run(folder: Path, *arguments: str, tiny: tuple[str, ...] = tuple(TINY)) -> Ended:
    return begin(train, *tiny, *OFTEN, f"hydra.run.dir={folder}", *arguments)


def started(folder: Path, *arguments: str, tiny: tuple[str, ...] = tuple(TINY)) -> Ended:
    """The same from its command line on, which is asked about a folder that holds a run."""
    return call(main, *tiny, *OFTEN, f"hydra.run.dir={folder}", *arguments)


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def messages(ended: Ended) -> list[str]:
    return [line for line in ended.out.splitlines() if line.startswith("health: ")]


def text(folder: Path, illness: str) -> str:
    told = events(folder).Tensors(f"health/{illness}/text_summary")[-1]
    return bytes(told.tensor_proto.string_val[0]).decode()


# Validations in between, of which one may be better than the last.
STOPPED = ("callbacks.health.stop=true", "trainer.steps=40", "trainer.val_every_steps=2")


@pytest.fixture(scope="module")
def collapsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    folder = tmp_path_factory.mktemp("runs") / "collapsed"
    return folder, run(folder, *STOPPED, tiny=tuple(PLAIN))


def test_a_plain_network_at_a_high_rate_collapses_and_is_told_once(collapsed: tuple[Path, Ended]) -> None:
    folder, ended = collapsed
    (message,) = messages(ended)
    assert message.startswith("health: collapse at step ")
    after = ended.out.split(message)[1].splitlines()
    assert after[1].startswith("  1. the learning rate is too high: optimizer.lr=0.005 (now 0.05)")
    assert after[2].endswith("model.head=batchnorm")
    page = text(folder, "collapse")
    assert message.removeprefix("health: ").removesuffix("; check in this order:") in page
    assert "1. the learning rate is too high" in page


def test_where_it_is_to_stop_it_ends_there_scored_and_with_its_code(collapsed: tuple[Path, Ended]) -> None:
    folder, ended = collapsed
    assert ended.code == 3
    facts = json.loads((folder / "run.json").read_text())
    step = int(messages(ended)[0].split("step ")[1].split(":")[0])
    assert (facts["ended_by"], facts["steps"]) == ("collapse", step)
    assert step < 40
    assert "val/eer_balanced" in json.loads((folder / "metrics.json").read_text())
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    shares = events(folder).Scalars("health/spread")
    assert [event.step for event in shares] == list(range(1, step + 1))
    assert shares[-1].value < 0.02 < shares[0].value


def test_a_run_that_had_ended_ends_again(collapsed: tuple[Path, Ended]) -> None:
    folder, _ = collapsed
    (folder / "metrics.json").unlink()  # as if killed before it was scored
    again = started(folder, *STOPPED, "resume=auto", tiny=tuple(PLAIN))
    assert again.code == 3
    assert not messages(again)
    assert json.loads((folder / "run.json").read_text())["ended_by"] == "collapse"


def poisoned(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """From a step on the weights are NaN."""
    score = VerificationModule.score

    def score_with_nan(self: VerificationModule, batch: Batch) -> LossSum:
        if self.trainer.global_step == step:
            next(self.embedder.parameters()).data.fill_(float("nan"))
        return score(self, batch)

    monkeypatch.setattr(VerificationModule, "score", score_with_nan)


def test_weights_that_are_no_numbers_end_a_run_before_it_validates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And they are no state to go on from."""
    poisoned(monkeypatch, 5)
    ended = run(tmp_path, "checkpoint.every_seconds=1e-9", "callbacks.health.every_steps=1000")
    assert (ended.code, "error" in ended.err) == (3, False)
    assert "step 6: weights are not finite, so last.ckpt stays as it was" in ended.out
    assert torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 5
    (message,) = messages(ended)
    assert message.startswith("health: nan at step 8: loss, gradient or embeddings are not finite (loss nan")
    assert "the weights are not finite: the run ends, and its best checkpoint is scored" in ended.out
    assert json.loads((tmp_path / "run.json").read_text())["ended_by"] == "nan"
    assert "trainer.gradient_clip=1" in text(tmp_path, "nan")


def test_a_loss_that_is_no_number_ends_nothing_where_the_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = VerificationModule.score

    def score_with_nan(self: VerificationModule, batch: Batch) -> LossSum:
        found = score(self, batch)
        if self.trainer.global_step == 2:  # seen, and not learnt from
            self.scored = self.scored._replace(loss=torch.tensor(float("nan")))
        return found

    monkeypatch.setattr(VerificationModule, "score", score_with_nan)
    ended = run(tmp_path)
    assert ended.code == 0
    assert "nan" in " ".join(json.loads((tmp_path / "run.json").read_text())["health"])
    assert json.loads((tmp_path / "run.json").read_text())["ended_by"] is None


STOP = ("callbacks.health.stop=true", "test=true")


def test_a_run_that_diverges_before_there_is_a_best_state_is_over_without_figures(tmp_path: Path) -> None:
    folder = tmp_path / "run"  # among no others: TensorBoard takes the columns from the first it finds
    ended = run(folder, "optimizer.lr=1e30", *STOP)
    assert (ended.code, "error" in ended.err) == (3, False)
    (message,) = messages(ended)
    assert "there is no checkpoint to score" in ended.out
    facts = json.loads((folder / "run.json").read_text())
    assert (facts["ended_by"], facts["best_step"]) == ("nan", None)
    assert facts["health"] == [message.removeprefix("health: ").removesuffix("; check in this order:")]
    assert facts["steps"] == int(message.split("step ")[1].split(":")[0]) < 8
    assert not (folder / "metrics.json").exists()
    assert not (folder / "checkpoints").exists()
    again = started(folder, "optimizer.lr=1e30", *STOP, "resume=auto")
    assert (again.code, messages(again)) == (3, [])
    assert again.out.endswith("holds this run, which embedding health ended; nothing is left to do\n")
    refused = started(folder, "optimizer.lr=1e30", *STOP)
    assert refused.code == 2
    assert "holds an ended run of this config (resume=auto skips it)" in refused.err
    assert table_of_runs(tmp_path)[1]["run"][0]["ended_by"] == "nan"


def test_a_run_that_diverges_later_has_its_best_state_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"  # among no others: TensorBoard takes the columns from the first it finds
    settings = (*STOP, "trainer.val_every_steps=2", "checkpoint.every_seconds=1e-9")
    poisoned(monkeypatch, 5)
    ended = run(folder, *settings, "callbacks.health.every_steps=100")
    assert (ended.code, "error" in ended.err) == (3, False)
    (message,) = messages(ended)
    assert message.startswith("health: nan at step 6: ")
    assert "step 5: weights are not finite, so last.ckpt stays" not in ended.out
    facts = json.loads((folder / "run.json").read_text())
    assert (facts["ended_by"], facts["steps"]) == ("nan", 6)
    best = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)
    assert facts["best_step"] == best["global_step"] <= 4
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 5
    assert all(value.isfinite().all() for value in last["state_dict"].values())
    figures = json.loads((folder / "metrics.json").read_text())
    assert {"val/eer_balanced", "test/eer_balanced"} <= figures.keys()
    settings_shown, figures_shown = table_of_runs(tmp_path)[1]["run"]
    assert settings_shown["ended_by"] == "nan"
    assert figures_shown["test/eer_balanced"] == pytest.approx(figures["test/eer_balanced"])
    again = started(folder, *settings, "callbacks.health.every_steps=100", "resume=auto")
    assert again.code == 3
    assert again.out.endswith("holds this run, finished; nothing is left to do\n")


def test_embeddings_of_a_validation_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    """The last step before it did it: no loss has shown it."""
    ended = run(tmp_path, "optimizer.lr=1e6", "trainer.val_every_steps=1")
    assert ended.code == 2
    (message,) = messages(ended)
    assert message.startswith("health: nan at step 1: ")
    assert "(rows not finite 9)" in message
    assert "embeddings hold NaN" in ended.err


def test_inputs_are_judged_by_more_than_a_handful_of_pictures(tmp_path: Path) -> None:
    """A single triplet may be of dark pictures alone."""
    ended = run(tmp_path, "data.normalize=none", "data.batch_size=3", "trainer.steps=12")
    assert ended.code == 0  # told, and trained on
    assert [message.split(":")[1] for message in messages(ended)] == [" inputs at step 10"]
    facts = json.loads((tmp_path / "run.json").read_text())
    mean = float(facts["health"][0].split("mean ")[1].split(",")[0])
    assert 0.4 < mean < 0.6


def test_triplets_that_have_become_easy(tmp_path: Path) -> None:
    settings = ("miner=given", "loss.margin=0", "data.batch_size=3", "augmentation=none")
    ended = run(tmp_path, *settings, "trainer.steps=24", "trainer.val_every_steps=24")
    assert ended.code == 0
    # Beside it a loss without a margin, which begins at nearly nothing, may seem to explode.
    assert [message.split()[1] for message in messages(ended)].count("saturation") == 1
    assert "miner=semi_hard" in text(tmp_path, "saturation")


def test_a_margin_met_by_heart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look at the training batch is that of a network which knows its people by heart; all else is real."""
    known = torch.eye(30)

    def by_heart(rows: Rows, margin: float, squared: bool) -> Shape | None:
        return shape_of(rows._replace(embeddings=known[rows.identities]), margin, squared)

    monkeypatch.setattr(embedding_health, "shape_of", by_heart)
    # The network that this seed begins with tells nobody from another: a loss of 0.37 and more.
    ended = run(tmp_path, "trainer.steps=3", "trainer.val_every_steps=1", "optimizer.lr=0", "seed=1")
    (message,) = (line for line in messages(ended) if line.startswith("health: gap"))
    assert "the margin is met in training, but not in validation (training loss 0, validation" in message
    assert "augmentation=strong" in text(tmp_path, "gap")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The run that the config files stand for."""
    folder = tmp_path_factory.mktemp("runs") / "healthy"
    return folder, run(folder)


def assert_healthy(folder: Path, ended: Ended, steps: int = 8) -> None:
    """It heard nothing, and was measured at each step."""
    assert ended.code == 0, ended.err
    assert not messages(ended)
    told = events(folder)
    names = {name for name in told.Tags()["scalars"] if name.startswith("health/")}
    assert names == {
        f"health/{name}"
        for name in ("loss", "active_share", "gradient_norm", "least_spread", "effective_rank", "spread",
                     "genuine_distance",
                     "impostor_distance", "unmined_loss")
    }  # fmt: skip
    assert [event.step for event in told.Scalars("health/loss")] == list(range(1, steps + 1))
    assert not [name for name in told.Tags()["tensors"] if name.startswith("health/")]


def test_a_healthy_run_hears_nothing_and_is_measured(healthy: tuple[Path, Ended]) -> None:
    assert_healthy(*healthy)


# Where one of several settings raised an alarm, the run would hear it.
@pytest.mark.parametrize(
    "settings",
    [
        ("sampler=pk", "sampler.identities=8", "sampler.singles=4", "miner=hard", "loss.soft_margin=true",
         "data.normalize=image", "trainer.chunk=12"),
        ("miner=all", "trainer.accumulate=2", "trainer.steps=3", "model.embedding_size=4", "trainer.grow_from=32",
         "augmentation.where=device"),
        ("loss=arcface_triplet", "loss.switch_epoch=1", "miner=masked", "trainer.precision=64", "optimizer=sgd"),
        ("loss=semi_hard_mean", "model.head=linear", "model.freeze=true"),
        ("data.batch_size=3",),
        ("miner=given", "data.batch_size=6", "model.embedding_size=8", "data.normalize=dataset"),
    ],
)  # fmt: skip
def test_other_healthy_runs_hear_nothing_and_are_measured(tmp_path: Path, settings: tuple[str, ...]) -> None:
    assert_healthy(tmp_path, run(tmp_path, *settings), 3 if "trainer.steps=3" in settings else 8)


@pytest.mark.parametrize("loss", ["triplet", "arcface"])
def test_a_plain_network_that_begins_in_a_cone_hears_nothing(tmp_path: Path, loss: str) -> None:
    ended = run(tmp_path, f"loss={loss}", "optimizer.lr=1e-3", "trainer.steps=15", tiny=tuple(PLAIN))
    assert ended.code == 0, ended.err
    assert not messages(ended)
    assert events(tmp_path).Scalars("health/spread")[0].value < 0.2


def test_looks_measure_the_steps_between_them(healthy: tuple[Path, Ended], tmp_path: Path) -> None:
    run(tmp_path / "fourth", "callbacks.health.every_steps=4")
    each, fourth = events(healthy[0]), events(tmp_path / "fourth")
    for name in ("loss", "active_share", "gradient_norm", "effective_rank"):
        one = [event.value for event in each.Scalars(f"health/{name}")]
        other = fourth.Scalars(f"health/{name}")
        assert [event.step for event in other] == [4, 8]
        if name == "loss":
            expected = [sum(one[:4]) / 4, sum(one[4:]) / 4]
        elif name != "active_share":  # whose batches count by their triplets
            expected = [one[3], one[7]]
        assert [event.value for event in other] == pytest.approx(expected, rel=1e-5) or name == "active_share"
    losses = {event.step: event.value for event in each.Scalars("health/loss")}
    for event in each.Scalars("train/loss"):
        assert losses[event.step + 1] == pytest.approx(
            event.value, rel=1e-5
        )  # Lightning's steps are one short


def test_looking_on_changes_nothing(healthy: tuple[Path, Ended], tmp_path: Path) -> None:
    run(tmp_path, "~callbacks.health")
    weights = [
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for folder in (healthy[0], tmp_path)
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])


def of_two(rank: int, folder: Path, *arguments: str) -> Ended:
    """A run in processes that have met, as a launcher's: the first leads, the other follows."""
    environment = {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", MEETING: "file:///met",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        if rank != gathering.FIRST:
            return call(lambda: follow(Place(rank, 2, rank, 2, 0, ""), take_part))
        ended = run(folder, "trainer=ddp", *arguments)
        dismiss()
    return ended


def member(folder: Path, *arguments: str) -> Ended:
    return of_two(gathering.rank(), folder, *arguments)


def test_several_processes_see_what_one_sees(tmp_path: Path, together: Processes) -> None:
    more = (
        "data.normalize=none", "callbacks.health.stop=true", "trainer.steps=4", "trainer.val_every_steps=4",
        "trainer.precision=64", "model.dropout=0.3", f"data.cache={tmp_path / 'cache'}",
    )  # fmt: skip
    first, other = together(2, member, tmp_path / "two", *more)
    assert other == Ended(0, "", "")
    told = {}
    for name, ended in (("one", run(tmp_path / "one", *more)), ("two", first)):
        assert (ended.code, "error" in ended.err) == (3, False)
        (told[name],) = messages(ended)
        assert ended.out.count("1. pixels are not brought around 0") == 1
        assert "data.normalize=half" in text(tmp_path / name, "inputs")
        assert json.loads((tmp_path / name / "run.json").read_text())["ended_by"] == "inputs"
    assert told["one"] == told["two"]
    assert told["one"].startswith(
        "health: inputs at step 0: the network's inputs are not normalised (mean 0.5"
    )
    for name in ("one", "two"):
        assert table_of_runs(tmp_path)[1][name][0]["ended_by"] == "inputs"
    one, two = (events(tmp_path / name) for name in ("one", "two"))
    names = [name for name in one.Tags()["scalars"] if name.startswith("health/")]
    assert len(names) == 9
    for name in names:
        values = [[event.value for event in side.Scalars(name)] for side in (one, two)]
        assert values[0] == pytest.approx(values[1], rel=1e-6)


def assert_diverged(folder: Path, out: str) -> None:
    """Told by one process, once, and before there was a best state."""
    facts = json.loads((folder / "run.json").read_text())
    told = [line for line in out.splitlines() if line.startswith("health: ")]
    assert told == [f"health: {title}; check in this order:" for title in facts["health"]]
    assert facts["ended_by"] == facts["health"][0].split(" at ")[0]
    assert [title.split(" at ")[0] for title in facts["health"]].count("nan") == 1
    assert facts["best_step"] is None
    assert "Traceback" not in out


DIVERGES = ("optimizer.lr=1e30", "callbacks.health.stop=true")


@pytest.mark.parametrize("arguments", [DIVERGES, DIVERGES[:1]])
def test_several_processes_diverge_together(
    arguments: tuple[str, ...], tmp_path: Path, together: Processes
) -> None:
    first, other = together(2, member, tmp_path / "run", *arguments, f"data.cache={tmp_path / 'cache'}")
    assert (first.code, other) == (3, Ended(0, "", ""))
    assert_diverged(tmp_path / "run", first.out + first.err)


@pytest.mark.slow
def test_several_processes_that_a_run_started_diverge_together(tmp_path: Path) -> None:
    more = (*OFTEN, *DIVERGES, "trainer=ddp", "hydra.run.dir=run")
    out = ended_process(start(tmp_path, "-m", "facenet_lit.train", *more), 3)
    assert_diverged(tmp_path / "run", out)


def test_in_a_sweep_the_other_jobs_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    more = ("callbacks.health.stop=true", "optimizer.lr=1e30,1e-3", "hydra.sweep.dir=sweep")
    ended = begin(train, *TINY, *OFTEN, "trainer.steps=2", *more, multirun=True)
    assert ended.code == 0
    found = [json.loads(Path("sweep", str(job), "run.json").read_text())["ended_by"] for job in (0, 1)]
    assert found == ["nan", None]
    with open("sweep/sweep.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["ended_by"] for row in rows] == ["nan", ""]
    assert [bool(row["val/eer_balanced"]) for row in rows] == [False, True]


def test_settings_are_checked() -> None:
    with pytest.raises(
        UserError, match=r"callbacks\.health\.every_steps=0: expected an integer of 1 or more"
    ):
        EmbeddingHealth(0)
    with pytest.raises(UserError, match=r"callbacks\.health\.stop=1: expected true or false"):
        EmbeddingHealth(stop=1)


def test_what_it_remembers_are_plain_values() -> None:
    one, other = EmbeddingHealth(), EmbeddingHealth()
    state = json.loads(json.dumps(one.state_dict()))
    other.load_state_dict(state)
    assert other.state_dict() == one.state_dict()
    assert ended_by([one, other]) is None
    other.ended_by, other.told = "gap", ["gap at step 9"]
    assert ended_by([one, other]) == "gap"
    assert told_of([one, other]) == ["gap at step 9"]
