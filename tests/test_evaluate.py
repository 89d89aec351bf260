import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from entry_points import NETWORK, TINY, Ended, call

from facenet_lit import train
from facenet_lit.evaluate import completed, main
from facenet_lit.sources.synthetic import SyntheticFaces


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    assert call(train.main, *TINY, "data.size=72", f"hydra.run.dir={folder}").code == 0
    return folder


@pytest.fixture(scope="module")
def best(run: Path) -> str:
    return f"checkpoint={run / 'checkpoints' / 'best.ckpt'}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    return


def evaluated(*arguments: str) -> tuple[Ended, dict[str, float | None]]:
    ended = call(main, "hydra.run.dir=out", *arguments)
    path = Path("out/metrics.json")
    return ended, json.loads(path.read_text()) if path.is_file() else {}


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize("more", [[], ["data=synthetic", "batch_size=2"]])
def test_the_figures_are_those_of_the_run(run: Path, best: str, part: str, more: list[str]) -> None:
    ended, figures = evaluated(best, f"part={part}", *more)
    assert ended.code == 0
    told = json.loads((run / "metrics.json").read_text())
    expected = {k: v for k, v in told.items() if k.startswith(f"{part}/") and not k.endswith("/loss")}
    assert figures == pytest.approx(expected, abs=1e-5)
    assert "all pairs, 9 images" in ended.out


def test_what_was_trained_on_is_refused(best: str) -> None:
    ended, figures = evaluated(best, "part=all")
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith(
        "error: leak: the checkpoint was trained on 24 of 30 identities, synthetic/0/"
    )
    assert "72 of 90 pictures" in ended.err
    assert figures == {}
    allowed, figures = evaluated(best, "part=all", "data.allow_leak=true")
    assert allowed.code == 0
    assert figures["all/effective_identities"] == 30


def test_another_split_of_the_same_people_is_a_leak(best: str) -> None:
    ended, figures = evaluated(best, "data.split_seed=1")
    assert ended.code == 2
    assert "leak: the checkpoint was trained on" in ended.err
    assert figures == {}


def test_people_of_another_seed_are_new(best: str) -> None:
    ended, figures = evaluated(best, "part=all", "data.seed=7", "data.identities=20", "data.images=2")
    assert ended.code == 0
    assert figures["all/effective_identities"] == 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Other drawn people, as picture files under the names that pair lists use."""
    source = SyntheticFaces(21, 2, seed=5)
    for number, picture in source.pictures():
        person = f"Person_{number // 2:02d}"
        path = tmp_path / "faces" / person / f"{person}_{number % 2 + 1:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR))
    return tmp_path / "faces"


def test_another_source_at_the_size_of_the_network(best: str, folder: Path) -> None:
    ended, figures = evaluated(best, "data=folder", f"data.root={folder}", "part=all", "data.cache=null")
    assert ended.code == 0, ended.err
    assert figures["all/effective_identities"] == 21
    assert completed([best, "data=folder"]) == ["data.size=72"]


def test_listed_pairs(best: str, folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*.png"):
        path.rename(path.with_suffix(".jpg"))  # what lists name; the decoder looks into the file
    genuine = [f"Person_{n:02d}\t1\t2" for n in range(3)]
    impostor = [f"Person_{n:02d}\t1\tPerson_{n + 1:02d}\t2" for n in range(3)]
    (tmp_path / "pairs.txt").write_text("\n".join(["3", *genuine, *impostor]) + "\n")
    settings = (best, "data=folder", f"data.root={folder}", "data.cache=null", "pairs=pairs.txt")
    ended, figures = evaluated(*settings, "part=all")
    assert ended.code == 0, ended.err
    assert "pairs of pairs.txt, 7 images" in ended.out
    assert figures["all/effective_identities"] == 3
    assert figures["all/accuracy"] in [pytest.approx(k / 6) for k in range(7)]
    refused, _ = evaluated(*settings)  # part=test holds a tenth of the people
    assert refused.code == 2
    assert "listed pictures are not in part=test" in refused.err
    (tmp_path / "pairs.txt").write_text("1\nNobody\t1\t2\nNobody\t1\tPerson_00\t1\n")
    refused, _ = evaluated(*settings, "part=all")
    assert refused.code == 2
    assert "Nobody/Nobody_0001.jpg" in refused.err
    refused, _ = evaluated(*settings[:-1], "pairs=absent.txt")
    assert refused.code == 2
    assert "absent.txt: can't be read" in refused.err
    assert refused.err.count("\n") == 1  # before anything is decoded


def test_the_settings_of_the_run_stand_before_those_of_the_user(best: str) -> None:
    settings = completed([best, "part=val"])
    assert settings[0] == "data='synthetic'" or settings[0] == "data=synthetic"
    assert {"data.size=72", "data.identities=30", "data.normalize='half'", "data.cache=null"} <= set(settings)
    assert completed([best, "data=synthetic"]) == settings[1:]
    assert completed(["checkpoint=absent"]) == completed([]) == []


def test_settings_of_the_network_are_none_of_the_evaluation(best: str) -> None:
    ended, _ = evaluated(best, NETWORK[0])
    assert ended.code == 2
    assert "model.arguments.depths" in ended.err
