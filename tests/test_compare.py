import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from entry_points import NETWORK, TINY, Ended, call, refused

from facenet_lit import building, compare, train
from facenet_lit.compare import completed, main, with_runs
from facenet_lit.sources.synthetic import SyntheticFaces

SINGLES = ("data=synthetic", "data.seed=5", "data.identities=40", "data.images=1", "part=all")


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
    ended = call(main, *arguments, "folder=out")
    path = Path("out/comparison.json")
    return ended, json.loads(path.read_text()) if path.is_file() else {}


def test_two_runs_each_at_its_own_size(runs: Path) -> None:
    one, other = str(runs / "one"), str(runs / "one" / "checkpoints" / "last.ckpt")
    named = f"runs=['{runs / 'other=2'}','{other}']"
    ended, told = compared(named, "metrics.fars=[0.1]")
    assert ended.code == 0, ended.err
    assert told["runs"] == [str(runs / "other=2"), other]
    assert told["images"] == 9
    assert told["verdict"].startswith("at 95% it can't be told which run is better: eer_balanced")
    assert "comparisons, each at 95% by itself" in ended.out
    assert told["verdict"] in ended.out.replace("\n", " ")
    assert Path("out/roc.png").stat().st_size > 1000
    eer = told["figures"]["eer"]
    assert eer["difference"] == pytest.approx(eer["second"] - eer["first"])
    assert eer["low"] < eer["difference"] < eer["high"]
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "comparison.json",
        "config.yaml",
        "roc.png",
    ]
    assert yaml.safe_load(Path("out/config.yaml").read_text())["metrics"]["fars"] == [0.1]
    again = refused(Path("none"), *with_runs([one, other]), "folder=out", job=compare.compare)
    assert again == "out: holds a comparison; name another folder, or delete it"


def test_a_run_and_itself_on_other_people_differ_by_nothing(runs: Path) -> None:
    one = str(runs / "one")
    shutil.copy(runs / "one" / "checkpoints" / "best.ckpt", "copy.ckpt")
    people = ("data=synthetic", "data.seed=5", "data.identities=40", "data.images=2", "part=all")
    ended, told = compared(
        one, "copy.ckpt", *people, "figure=tar", "metrics.fars=[0.1]", "metrics.bounds=100"
    )
    assert ended.code == 0, ended.err
    assert all(figure["difference"] == 0 for figure in told["figures"].values())
    assert all(figure["low"] < 0 < figure["high"] for figure in told["figures"].values())
    assert told["verdict"].startswith("at 95% it can't be told which run is better: tar ")


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
        (["{one}", "{other}", "data.size=80"], "data.size=80: each network is compared at its own size"),
        (["{one}", "{other}", "metrics.bounds=0"], "metrics.bounds=0: a comparison is by bounds"),
        (["{one}", "{other}", "metrics.bounds=20"], "metrics.bounds=20: expected an integer of 100 or more"),
        (["{one}", "{other}", "figure=err"], "figure=err: expected one of far, tar"),
        (["{one}", "{other}", "part=train"], "part=train: expected one of val, test, all"),
        (["{one}", "{other}", "part=all"], "leak: the checkpoint was trained on 24 of 30 identities"),
        (["{one}", "{other}", NETWORK[0]], "model"),
        (["text", "{one}"], "checkpoint=text: can't be read"),
        (["{one}", "text"], "checkpoint=text: can't be read"),
        (["{one}", "{one}/checkpoints/best.ckpt"], "expected two that differ"),
        (["{one}", "{other}", "figure=tar_at_far_1e-3"], "figure=tar_at_far_1e-3: expected one of far, tar"),
        (["{one}", "{other}", "figure=accuracy"], "figure=accuracy: expected one of far, tar"),
        (["{one}", "{other}", "metrics.fars=[0.001]"], "metrics.fars=[0.001]: test has 27 impostor pairs"),
        (["{one}", "{other}", "accelerator=tpu"], "accelerator=tpu: expected"),
        (["{one}", "{other}", *SINGLES], "these images have no genuine pair"),
        (["{one}", "{other}", "hydra.run.dir=here"], "hydra.run.dir=here: say folder=here"),
        (["{one}", "{other}", "folder=text/here"], "text/here: can't be written in"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_before_a_picture_is_decoded(
    runs: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    Path("empty").mkdir()
    Path("text").write_text("no checkpoint")
    shutil.copy(runs / "other=2" / "checkpoints" / "best.ckpt", "other.ckpt")
    before = sorted(Path().rglob("*"))
    monkeypatch.setattr(SyntheticFaces, "pictures", None)
    given = [text.format(one=runs / "one", other="other.ckpt") for text in arguments]
    given = with_runs([*given, "folder=out"] if not any("folder=" in text for text in given) else given)
    assert message in refused(Path("none"), *given, job=compare.compare, completed=completed)
    assert sorted(Path().rglob("*")) == before


def test_a_refusal_is_one_line_of_the_command(runs: Path) -> None:
    ended = call(main, str(runs / "one"), "missing")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: missing: no such file or folder; expected the folder of a run, or a checkpoint\n"
    )
    assert not list(Path().iterdir())


def test_a_source_is_read_once_and_packed_once_for_each_size(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, packed = [], []
    build, pictures = building.build_source, SyntheticFaces.pictures
    monkeypatch.setattr(building, "build_source", lambda settings: made.append(settings) or build(settings))
    monkeypatch.setattr(SyntheticFaces, "pictures", lambda self: packed.append(self) or pictures(self))
    one, last = str(runs / "one"), str(runs / "one" / "checkpoints" / "last.ckpt")
    off = ("data.cache=off", "metrics.fars=[0.1]", "metrics.bounds=100")
    assert compared(one, last, *off)[0].code == 0
    assert (len(made), len(packed)) == (1, 1)
    assert call(main, f"runs=['{one}','{runs / 'other=2'}']", *off, "folder=other").code == 0
    assert (len(made), len(packed)) == (2, 3)


def test_a_comparison_that_is_interrupted_leaves_nothing(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "score_run", interrupted)
    last = str(runs / "one" / "checkpoints" / "last.ckpt")
    ended, _ = compared(str(runs / "one"), last, "data.cache=off")
    assert ended.code == 130
    assert ended.err.endswith("\ncompare: interrupted\n")
    assert not list(Path().iterdir())


def test_help_tells_every_setting() -> None:
    ended = call(main, "--help")
    assert ended.code == 0
    for line in ("runs: null ", "figure: eer_balanced ", "part: test ", "  bounds: 1000 "):
        assert f"\n{line}" in ended.out
