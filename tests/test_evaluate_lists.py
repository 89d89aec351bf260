"""LFW's lists, from training to evaluation: who may be judged by which."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from entry_points import NETWORK, SETTINGS, TINY, Ended, call
from entry_points import refused as refused_job
from tiny_lfw import FOLDS, write_lfw, write_lists

from facenet_lit import train
from facenet_lit.checkpoint import load_embedder
from facenet_lit.evaluate import completed, evaluate, main
from facenet_lit.preprocessing import crop_and_resize
from facenet_lit.sources.lfw_lists import ListedPair, read_pair_folds
from facenet_lit.sources.synthetic import SyntheticFaces

LFW = [*SETTINGS[2:], *NETWORK, "data=lfw", "data.cache=null", "data.crop=null", "data.batch_size=12"]


@pytest.fixture(scope="module")
def lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lfw(tmp_path_factory.mktemp("lfw"))


def trained(lfw: Path, name: str, *settings: str) -> Path:
    folder = lfw.parent / name
    if not folder.exists():
        ended = call(train.main, *settings, f"hydra.run.dir={folder}")
        assert ended.code == 0, ended.err
    return folder


@pytest.fixture(scope="module")
def view1(lfw: Path) -> Path:
    return trained(lfw, "view1", *LFW, f"data.root={lfw}")


@pytest.fixture(scope="module")
def view2(lfw: Path) -> Path:
    return trained(lfw, "view2", *LFW, f"data.root={lfw}", "data.split=view2", "data.fold=10")


@pytest.fixture(scope="module")
def drawn(lfw: Path) -> Path:
    return trained(lfw, "drawn", *TINY)


def evaluated(run: Path, *arguments: str) -> tuple[Ended, dict[str, float | None]]:
    folder = run / f"out{len(list(run.glob('out*')))}"
    ended = call(
        main, f"checkpoint={run / 'checkpoints' / 'best.ckpt'}", *arguments, f"hydra.run.dir={folder}"
    )
    path = folder / "metrics.json"
    return ended, json.loads(path.read_text()) if path.is_file() else {}


def refused(run: Path, *arguments: str) -> str:
    """What an evaluation is refused with; it leaves no figures."""
    folder = run / "refused"
    best = f"checkpoint={run / 'checkpoints' / 'best.ckpt'}"
    message = refused_job(folder, best, *arguments, job=evaluate, completed=completed)
    assert not (folder / "metrics.json").exists()
    return message


def told(run: Path) -> dict[str, float | None]:
    return dict(json.loads((run / "metrics.json").read_text()))


def test_view1_is_scored_on_its_list(lfw: Path, view1: Path) -> None:
    ended, figures = evaluated(view1, f"pairs={lfw.parent / 'pairsDevTest.txt'}")
    assert ended.code == 0, ended.err
    assert figures["test/accuracy"] == told(view1)["test/accuracy"]
    assert "test/fold_accuracy" not in figures
    assert "val/accuracy" not in told(view1)


@pytest.mark.parametrize("part", ["test", "all"])
def test_view1_on_the_pairs_of_view_2_is_a_leak(lfw: Path, view1: Path, part: str) -> None:
    message = refused(view1, f"pairs={lfw.parent / 'pairs.txt'}", f"part={part}")
    assert message.startswith("leak: the checkpoint was trained on 19 of 30 identities, P")
    assert message.endswith("; evaluate on others, or say data.allow_leak=true")
    allowed, figures = evaluated(
        view1, f"pairs={lfw.parent / 'pairs.txt'}", f"part={part}", "data.allow_leak=true"
    )
    assert allowed.code == 0, allowed.err
    assert (
        "leak, allowed by data.allow_leak: the checkpoint was trained on 19 of 30 identities" in allowed.out
    )
    assert figures[f"{part}/fold_accuracy"] is not None


@pytest.mark.parametrize(
    ("part", "more"), [("test", []), ("all", []), ("all", ["data.split=none"]), ("test", ["data=lfw"])]
)
def test_view2_is_scored_on_its_own_fold(lfw: Path, view2: Path, part: str, more: list[str]) -> None:
    ended, figures = evaluated(view2, f"pairs={lfw.parent / 'pairs.txt'}", f"part={part}", *more)
    assert ended.code == 0, ended.err
    assert "pairs.txt: 6 of 60 pairs are scored, those of fold 10 alone" in ended.out
    assert figures[f"{part}/accuracy"] == told(view2)["test/accuracy"]
    assert f"{part}/fold_accuracy" not in figures
    assert figures[f"{part}/effective_identities"] == 3


def test_view2_has_listed_pairs_of_val_too(lfw: Path, view2: Path) -> None:
    lines = [line for line in (lfw.parent / "pairs.txt").read_text().splitlines() if line[:3] in FOLDS[0]]
    (lfw.parent / "fold1.txt").write_text("\n".join(["3", *lines]))
    _, figures = evaluated(view2, f"pairs={lfw.parent / 'fold1.txt'}", "part=val")
    assert figures["val/accuracy"] == told(view2)["val/accuracy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["data.fold=3"],
            "data.fold=3: the checkpoint was trained with 10, which stays; evaluate the checkpoint of",
        ),
        (["data.split=view1"], "leak: the checkpoint was trained on"),
        (["data.split=random"], "leak: the checkpoint was trained on"),
        (["part=all"], "leak: the checkpoint was trained on 24 of 30 identities"),
    ],
)
def test_view2_on_others(view2: Path, arguments: list[str], message: str) -> None:
    assert message in refused(view2, *arguments)


def test_the_fold_goes_with_the_split(view2: Path) -> None:
    best = f"checkpoint={view2 / 'checkpoints' / 'best.ckpt'}"
    assert "data.fold=10" in completed([best])
    assert not [text for text in completed([best, "data.split=view1"]) if text.startswith("data.fold")]


def test_who_never_saw_lfw_is_scored_over_ten_folds(lfw: Path, drawn: Path) -> None:
    settings = ("data=lfw", f"data.root={lfw}", "data.cache=null", "data.crop=null")
    ended, figures = evaluated(drawn, *settings, f"pairs={lfw.parent / 'pairs.txt'}", "part=all")
    assert ended.code == 0, ended.err
    accuracies = protocol(drawn, lfw, read_pair_folds(lfw.parent / "pairs.txt"))
    assert figures["all/fold_accuracy"] == pytest.approx(np.mean(accuracies))
    assert figures["all/fold_accuracy_error"] == pytest.approx(np.std(accuracies, ddof=1) / 10**0.5)
    assert figures["all/fold_accuracy_error"] > 0
    assert 0 < figures["all/fold_accuracy_grid"] <= 1
    one, figures = evaluated(
        drawn, *settings, f"pairs={lfw.parent / 'pairs.txt'}", "data.split=view2", "data.fold=4"
    )
    assert one.code == 0, one.err
    assert "those of fold 4 alone" in one.out
    assert "test/fold_accuracy" not in figures


def test_the_fold_of_a_checkpoint_is_none_of_another_data_set(view2: Path, tmp_path: Path) -> None:
    people = [f"Q{number:02d}" for number in range(30)]
    for number, read in SyntheticFaces(30, 2, 64, seed=12).pictures():
        name = people[number // 2]
        path = tmp_path / "others" / name / f"{name}_{number % 2 + 1:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), read()[..., ::-1])
    lists = tmp_path / "lists"
    lists.mkdir()
    write_lists(lists)
    pairs = tmp_path / "pairs.txt"
    pairs.write_text((lists / "pairs.txt").read_text().replace("P", "Q"))
    others = (
        "data=folder",
        f"data.root={tmp_path / 'others'}",
        "data.cache=null",
        f"pairs={pairs}",
        "part=all",
    )
    ended, figures = evaluated(view2, *others)
    assert ended.code == 0, ended.err
    assert "alone" not in ended.out
    assert "60 images" in ended.out
    assert figures["all/fold_accuracy"] is not None
    assert figures["all/effective_identities"] == 30


@pytest.mark.parametrize("split", ["random", "view1"])
def test_by_another_split_view2_is_refused_on_the_pairs_of_all_folds(
    lfw: Path, view2: Path, split: str
) -> None:
    pairs = f"pairs={lfw.parent / 'pairs.txt'}"
    message = refused(view2, f"data.split={split}", pairs, "part=all")
    assert message.startswith("leak: the checkpoint was trained on 24 of 30 identities")


def protocol(run: Path, lfw: Path, folds: list[list[ListedPair]]) -> list[float]:
    """LFW's protocol in a plain loop: a fold's accuracy at the best threshold of the others."""
    embedder = load_embedder(run / "checkpoints" / "best.ckpt")

    def distance(pair: ListedPair) -> float:
        pictures = [crop_and_resize(cv2.imread(str(lfw / file))[..., ::-1], None, 64) for file in pair[:2]]
        one, other = embedder(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)).detach()
        return float((one - other).norm())

    scored = [[(distance(pair), pair.same) for pair in fold] for fold in folds]
    accuracies = []
    for k, fold in enumerate(scored):
        others = [pair for j, other in enumerate(scored) if j != k for pair in other]
        best = max(sorted(d for d, _ in others), key=lambda t: sum((d < t) == same for d, same in others))
        accuracies.append(float(np.mean([(d < best) == same for d, same in fold])))
    return accuracies


def test_training_says_which_fold(lfw: Path) -> None:
    for settings, message in [
        (["data.split=view2"], "data.fold: not given; data.split=view2 tests on one of ten folds"),
        (["data.split=view2", "data.fold=11"], "data.fold=11: expected an integer from 1 to 10"),
        (["data.fold=2"], "data.fold=2: data.split=view1 has no folds"),
    ]:
        assert message in refused_job(lfw.parent / "none", *LFW, f"data.root={lfw}", *settings)
