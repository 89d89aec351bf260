import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from entry_points import run_script
from sklearn.decomposition import PCA

from facenet_lit.errors import UserError
from facenet_lit.sources.synthetic import SyntheticFaces

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "synthetic_baselines.py"


def script():
    spec = importlib.util.spec_from_file_location("synthetic_baselines", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


baselines = script()


def test_it_prints_every_variant_and_none_comes_far() -> None:
    """The property that the drawn faces are made for, on fewer of them."""
    ended = run_script(SCRIPT, 150, 6, 64)
    assert ended.code == 0, ended.err
    *table, empty, speed = ended.out.splitlines()
    assert empty == ""
    assert re.fullmatch(r"\d+ images of 64 px are drawn in a second of processor time, on one core", speed)
    rows = [line.split(" | ") for line in table[2:]]
    assert {method.removeprefix("| ") for method, _, _ in rows} == {"raw pixels", "PCA", "colour histogram"}
    rates = [float(rate.removesuffix(" |")) for _, _, rate in rows]
    assert len(rates) == 18
    assert min(rates) >= 0.28  # 0.30 on the whole part; here of 15 people
    assert max(rates) < 0.55


def test_the_speed_of_drawing_is_the_median_of_the_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0, 1, 1, 5, 5, 7])  # of processor time: 1, 4 and 2
    monkeypatch.setattr(baselines.time, "process_time", lambda: next(seconds))
    monkeypatch.setattr(baselines, "REPEATS", 3)
    monkeypatch.setattr(baselines, "TIMED", 8)
    drawn = []
    monkeypatch.setattr(SyntheticFaces, "_draw", lambda *key: drawn.append(key[1:]))
    assert baselines.drawing_speed(16) == 4
    assert drawn == [(identity, 0) for identity in range(8)] * 3


@pytest.mark.parametrize("whiten", [False, True])
def test_principal_components_are_those_of_scikit_learn(whiten: bool) -> None:
    rng = np.random.default_rng(0)
    fitted_on, features = (
        rng.standard_normal((60, 12)) @ rng.standard_normal((12, 12)),
        rng.standard_normal((9, 12)),
    )
    ours = baselines.principal(fitted_on, features, 5, whiten)
    theirs = PCA(5, whiten=whiten).fit(fitted_on).transform(features)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-6)  # the sign of an axis is free


@pytest.mark.parametrize("joint", [False, True])
def test_histograms_count_colours(joint: bool) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    rows = baselines.histograms(pictures, 4, joint)
    for picture, row in zip(pictures.reshape(3, 64, 3), rows, strict=True):
        if joint:
            counts = np.histogramdd(picture, bins=[np.arange(0, 257, 64)] * 3)[0].ravel() / 64
        else:
            counts = np.concatenate([np.histogram(c, np.arange(0, 257, 64))[0] for c in picture.T]) / (3 * 64)
        np.testing.assert_allclose(row**2, counts, atol=1e-12)


def test_equal_errors_of_rows_that_tell_all_and_nothing() -> None:
    people = np.repeat(np.arange(4), 3)
    assert baselines.balanced_eer(np.eye(4)[people], people) == 0
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 5)
    assert baselines.balanced_eer(rng.standard_normal((200, 8)), people) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((600, 12, 8), r"data\.size=8: expected"),
        ((5, 12, 64), r"data\.split: "),
        (("a", 2, 64), r"data\.identities='a': expected an integer"),
    ],
)
def test_wrong_values_are_refused_by_name(arguments: tuple[object, ...], said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        baselines.main(*arguments)


def test_an_error_is_one_line() -> None:
    ended = run_script(SCRIPT, "a", 2, 64)
    assert ended.code == 2
    assert ended.err == "error: data.identities='a': expected an integer of 1 or more\n"
