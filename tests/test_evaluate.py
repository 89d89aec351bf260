import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from entry_points import NETWORK, TINY, Ended, call
from entry_points import refused as refused_job

from facenet_lit import train
from facenet_lit.evaluate import completed, evaluate, main
from facenet_lit.sources.synthetic import SyntheticFaces


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    # A leak is allowed in its training: it is refused here all the same.
    settings = (*TINY, "data.size=72", "data.allow_leak=true")
    assert call(train.main, *settings, f"hydra.run.dir={folder}").code == 0
    return folder


@pytest.fixture(scope="module")
def best(run: Path) -> str:
    return f"checkpoint={run / 'checkpoints' / 'best.ckpt'}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    return


def evaluated(*arguments: str) -> tuple[Ended, dict[str, float | None]]:
    folder = Path(f"out{len(list(Path().glob('out*')))}")
    ended = call(main, f"hydra.run.dir={folder}", *arguments)
    path = folder / "metrics.json"
    return ended, json.loads(path.read_text()) if path.is_file() else {}


def refused(*arguments: str) -> str:
    """What an evaluation is refused with; it leaves no figures."""
    folder = Path("refused")
    told = refused_job(folder, *arguments, job=evaluate, completed=completed)
    assert not (folder / "metrics.json").exists()
    return told


@pytest.mark.parametrize(("part", "more"), [("test", []), ("val", ["data=synthetic", "batch_size=2"])])
def test_the_figures_are_those_of_the_run(run: Path, best: str, part: str, more: list[str]) -> None:
    ended, figures = evaluated(best, f"part={part}", *more)
    assert ended.code == 0
    told = json.loads((run / "metrics.json").read_text())
    expected = {k: v for k, v in told.items() if k.startswith(f"{part}/") and not k.endswith("/loss")}
    assert figures == pytest.approx(expected, abs=1e-5)
    assert "all pairs, 9 images" in ended.out


def test_a_folder_that_holds_figures_or_a_run_is_refused(run: Path, best: str, tmp_path: Path) -> None:
    def contents(folder: Path) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert call(main, best, "hydra.run.dir=mine").code == 0
    for folder in (run, tmp_path / "mine"):
        before = contents(folder)
        ended = call(main, best, f"hydra.run.dir={folder}")
        assert ended.code == 2
        assert ended.err == f"error: {folder}: holds a finished run; name another folder, or delete it\n"
        assert contents(folder) == before


def test_a_home_folder_may_be_a_tilde(run: Path, best: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(run))
    told = "checkpoint='~/checkpoints/best.ckpt'"  # in quotes, as Hydra reads no bare tilde
    assert completed([told]) == completed([best])
    ended, figures = evaluated(told)
    assert ended.code == 0, ended.err
    assert figures["test/effective_identities"] == 3


def test_options_may_stand_first(best: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    ended, figures = evaluated("--config-dir", "mine", best)
    assert ended.code == 0, ended.err
    assert figures["test/effective_identities"] == 3


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_part_of_no_split(best: str, part: str) -> None:
    message = f"data.split=none: makes no parts; say part=all, not part={part}"
    assert refused(best, "data.split=none", f"part={part}") == message


def test_what_was_trained_on_is_refused(best: str) -> None:
    ended, figures = evaluated(best, "part=all")
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith(
        "error: leak: the checkpoint was trained on 24 of 30 identities, synthetic/0/"
    )
    assert "; evaluate on others, or say data.allow_leak=true" in ended.err
    assert figures == {}
    allowed, figures = evaluated(best, "part=all", "data.allow_leak=true")
    assert allowed.code == 0
    told = [line for line in allowed.out.splitlines() if line.startswith("leak, allowed")]
    assert ["24 of 30 identities" in told[0], "72 of 90 pictures" in told[1]] == [True, True]
    assert figures["all/effective_identities"] == 30


def test_another_split_of_the_same_people_is_a_leak(best: str) -> None:
    assert refused(best, "data.split_seed=1").startswith("leak: the checkpoint was trained on")


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
    assert "data.crop" not in ended.out  # cut as in training
    ended, _ = evaluated(
        best, "data=folder", f"data.root={folder}", "part=all", "data.cache=null", "data.crop=60"
    )
    assert "data.crop=60: the network was trained with data.crop=null" in ended.out
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
    assert "listed pictures are not in part=test" in refused(*settings)  # that holds a tenth of the people
    (tmp_path / "pairs.txt").write_text("1\nNobody\t1\t2\nNobody\t1\tPerson_00\t1\n")
    assert "Nobody/Nobody_0001.jpg" in refused(*settings, "part=all")
    ended, _ = evaluated(*settings[:-1], "pairs=absent.txt")
    assert ended.code == 2
    assert "absent.txt: can't be read" in ended.err
    assert ended.err.count("\n") == 1  # before anything is decoded


def test_listed_pairs_of_pictures_left_out_are_counted(best: str, folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*.png"):
        path.rename(path.with_suffix(".jpg"))
    (folder / "Person_01" / "Person_01_0002.jpg").write_text("no picture")
    pairs = [
        "2",
        "Person_00\t1\t2",
        "Person_01\t1\t2",
        "Person_00\t1\tPerson_01\t1",
        "Person_02\t1\tPerson_03\t1",
    ]
    (tmp_path / "pairs.txt").write_text("\n".join(pairs))
    settings = ("data=folder", f"data.root={folder}", "data.cache=null", "pairs=pairs.txt", "part=all")
    ended, figures = evaluated(best, *settings, "data.on_bad_image=skip")
    assert ended.code == 0, ended.err
    assert "1 of 4 listed pairs are left out: a picture of theirs does not decode" in ended.out
    assert figures["all/accuracy"] in [pytest.approx(k / 3) for k in range(4)]


def test_the_settings_of_the_run_stand_before_those_of_the_user(best: str) -> None:
    settings = completed([best, "part=val"])
    assert settings[0] == "data='synthetic'" or settings[0] == "data=synthetic"
    assert {"data.size=72", "data.identities=30", "data.normalize='half'", "data.cache='off'"} <= set(
        settings
    )
    assert completed([best, "data=synthetic"]) == settings[1:]
    assert completed(["checkpoint=absent"]) == completed([]) == []


def test_settings_of_the_training_are_none_of_the_evaluation(best: str, folder: Path) -> None:
    for setting, advice in [
        ("data.normalize=none", "trained with half, which stays; it is part of the checkpoint"),
        ("data.batch_size=30", "trained with 36, which stays; say batch_size="),
    ]:
        assert refused(best, setting) == f"{setting}: the checkpoint was {advice}"
    other = ("data=folder", f"data.root={folder}", "part=all", "data.cache=null")
    assert refused(best, *other, "data.normalize=none").startswith("data.normalize=none: the checkpoint was")
    assert evaluated(best, *other, "data.normalize=half")[0].code == 0


def test_settings_of_the_network_are_none_of_the_evaluation(best: str) -> None:
    assert "model.arguments.depths" in refused(best, NETWORK[0])


def test_a_leak_allowed_in_training_is_not_allowed_here(run: Path, best: str) -> None:
    assert "allow_leak: true" in (run / "config.yaml").read_text()
    assert not [setting for setting in completed([best]) if "allow_leak" in setting]
    assert refused(best, "part=all").startswith("leak: the checkpoint was trained on")


def undecodable(tmp_path: Path, people: list[str]) -> list[str]:
    for person in people:
        for number in (1, 2):
            path = tmp_path / "broken" / person / f"{Path(person).name}_{number:04d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("no picture")
    return ["data=folder", f"data.root={tmp_path / 'broken'}", "data.cache=null", "part=all"]


def test_what_the_listing_tells_is_refused_before_decoding(best: str, tmp_path: Path) -> None:
    data = undecodable(tmp_path, [f"P{k}" for k in range(21)])
    assert "pictures decodes" in refused(best, *data)  # the witness of decoding works
    (tmp_path / "list.txt").write_text("1\nP1\t1\t2\nP1\t1\tP2\t1\n")
    (tmp_path / "foreign.txt").write_text("1\nNobody\t1\t2\nP1\t1\tP2\t1\n")
    for arguments, message in [
        (["metrics.fars=[1e-5]"], r"metrics.fars=[1e-05]: all has 840 impostor pairs, too few for"),
        (["+metrics.fars=[1e-5]"], r"too few for tar_at_far_1e-5"),
        (["pairs=list.txt", "metrics.fars=[0.5]"], "all has 1 impostor pairs, too few for tar_at_far_0.5"),
        (["pairs=list.txt", "part=test"], "listed pictures are not in part=test"),
        (["pairs=foreign.txt"], "2 listed pictures are not in the source"),
        (["metrics.fars=3"], "metrics.fars=3: expected a list of numbers"),
        (["metrics.threshold=abc"], "metrics.threshold='abc': expected a number"),
    ]:
        told = refused(best, *data, *arguments)
        assert message in told
        assert "pictures decodes" not in told


def test_people_trained_on_are_found_by_name_before_decoding(tmp_path: Path) -> None:
    people = [f"P{k}" for k in range(24)]
    for number, picture in SyntheticFaces(24, 2, seed=6).pictures():
        path = tmp_path / "good" / people[number // 2] / f"{number % 2}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture())
    faces = ("data=folder", f"data.root={tmp_path / 'good'}", "data.cache=null", "test=false")
    trained = call(train.main, *TINY[2:], *faces, "hydra.run.dir=run")
    assert trained.code == 0, trained.err
    ended, _ = evaluated("checkpoint=run/checkpoints/best.ckpt", *undecodable(tmp_path, people))
    assert ended.code == 2
    assert "the checkpoint was trained on 20 of 24 identities" in ended.err
    assert ended.err.count("\n") == 1


def test_one_line_tells_of_fars_that_do_not_show(best: str) -> None:
    ended, figures = evaluated(best)
    assert ended.out.count("impostor pairs") == 1
    assert "test has 27: leaves out tar_at_far_1e-2, tar_at_far_1e-3; coarse tar_at_far_1e-1." in ended.out
    assert figures["test/tar_at_far_1e-2"] is None


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", "29500")
    ended = call(main, "checkpoint=best.ckpt")
    assert ended.code == 2
    assert ended.err == "error: 2 processes were started: an evaluation runs in one; start it by itself\n"
