import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from entry_points import NETWORK, TINY, Ended, call

from facenet_lit import train
from facenet_lit.compare import completed, main, with_runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs, of pictures of 64 and of 72 px."""
    place = tmp_path_factory.mktemp("runs")
    for name, more in (("one", []), ("other=2", ["data.size=72", "seed=1"])):
        ended = call(
            train.main, *TINY, "metrics.fars=[0.1]", "test=false", *more, f"hydra.run.dir='{place / name}'"
        )
        assert ended.code == 0, ended.err
    return place


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    return


def compared(*arguments: str) -> tuple[Ended, dict]:
    ended = call(main, *arguments, "hydra.run.dir=out")
    path = Path("out/comparison.json")
    return ended, json.loads(path.read_text()) if path.is_file() else {}


def test_two_runs_each_at_its_own_size(runs: Path) -> None:
    one, other = str(runs / "one"), str(runs / "one" / "checkpoints" / "last.ckpt")
    named = f"runs=['{runs / 'other=2'}','{other}']"
    ended, told = compared(named, "metrics.fars=[0.1]")
    assert ended.code == 0, ended.err
    assert told["runs"] == [str(runs / "other=2"), other]
    assert told["images"] == 9
    assert told["verdict"].startswith("at 95% neither run is better: eer_balanced")
    assert told["verdict"] in ended.out.replace("\n", " ")
    assert Path("out/roc.png").stat().st_size > 1000
    eer = told["figures"]["eer"]
    assert eer["difference"] == pytest.approx(eer["second"] - eer["first"])
    assert eer["low"] < eer["difference"] < eer["high"]
    again, _ = compared(one, other)
    assert again.code == 2
    assert again.err.endswith("out: holds a comparison; name another folder, or delete it\n")


def test_a_run_and_itself_on_other_people_differ_by_nothing(runs: Path) -> None:
    one = str(runs / "one")
    people = ("data=synthetic", "data.seed=5", "data.identities=40", "data.images=2", "part=all")
    ended, told = compared(one, one, *people, "figure=tar", "metrics.fars=[0.1]", "metrics.bounds=100")
    assert ended.code == 0, ended.err
    assert all(figure["difference"] == 0 for figure in told["figures"].values())
    assert all(figure["low"] < 0 < figure["high"] for figure in told["figures"].values())
    assert told["verdict"].startswith("at 95% neither run is better: tar ")


def test_runs_stand_before_settings() -> None:
    assert with_runs(["a b", "c'd", "part=val"]) == ["runs=['a b','c\\'d']", "part=val"]
    assert with_runs(["--help"]) == ["--help"]
    assert with_runs(["runs=[a,b]", "part=val"]) == ["runs=[a,b]", "part=val"]


def test_the_data_of_the_first_run(runs: Path) -> None:
    settings = completed([f"runs=['{runs / 'one'}','{runs / 'other=2'}']"])
    assert {"data.identities=30", "data.size=64"} <= set(settings)
    assert completed([]) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "runs: expected two, as in compare RUN RUN, or runs=[ONE,OTHER]"),
        (["{one}"], "runs: expected two"),
        (
            ["{one}", "missing"],
            "missing: no such file or folder; expected the folder of a run, or a checkpoint",
        ),
        (["empty", "{one}"], "empty: no checkpoints/best.ckpt in it"),
        (["{one}", "{one}", "data.size=80"], "data.size=80: each network is compared at its own size"),
        (["{one}", "{one}", "metrics.bounds=0"], "metrics.bounds=0: a comparison is by bounds"),
        (["{one}", "{one}", "metrics.bounds=20"], "metrics.bounds=20: expected an integer of 100 or more"),
        (["{one}", "{one}", "figure=err"], "figure=err: expected one of far, tar"),
        (["{one}", "{one}", "part=train"], "part=train: expected one of val, test, all"),
        (["{one}", "{one}", "part=all"], "leak: the checkpoint was trained on 24 of 30 identities"),
        (["{one}", "{one}", NETWORK[0]], "model"),
        (["text", "{one}"], "checkpoint=text: can't be read"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(runs: Path, arguments: list[str], message: str) -> None:
    Path("empty").mkdir()
    Path("text").write_text("no checkpoint")
    ended, told = compared(*(text.format(one=runs / "one") for text in arguments))
    assert ended.code == 2
    line = ended.err.splitlines()[-1]
    assert line.startswith("error: ")
    assert message in line
    assert "Traceback" not in ended.err
    assert told == {}


def test_help_tells_every_setting() -> None:
    ended = call(main, "--help")
    assert ended.code == 0
    for line in ("runs: null ", "figure: eer_balanced ", "part: test ", "  bounds: 1000 "):
        assert f"\n{line}" in ended.out
