"""Rates over drawn triplets: by counting, of the tenth that training left out or of people apart."""

import json
from pathlib import Path

import numpy as np
import origin
import pytest
import torch
from entry_points import TINY, call

from facenet_lit.building import build_data
from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.train import main


def test_rates_are_shares_of_triplets() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    triplets = np.array([[0, 1, 2], [0, 3, 2], [0, 2, 3], [1, 0, 0]])
    told = origin.rates(embeddings, triplets, 1.1)
    # Genuine distances are 0, 2, root 2 and 0; impostor ones root 2 twice, 2 and 0, so that none is accepted at 0.354.
    assert told == {"triplets": 4, "tar": 0.5, "far": 0.25, "tar_at_far_0.354": 0.5}
    # A distance that is the threshold is not accepted: the root of 2, in float32.
    assert origin.rates(embeddings, triplets, float(torch.tensor(2.0).sqrt()))["tar"] == 0.5
    assert origin.rates(embeddings, triplets, 1.5)["tar"] == 0.75


def test_a_run_is_told_by_its_own_split(tmp_path: Path, capsys) -> None:
    runs = {"random": tmp_path / "apart", "triplets": tmp_path / "shuffled"}
    for split, run in runs.items():
        ended = call(
            main, *TINY, f"data.split={split}", "data.allow_leak=true", "test=false", f"hydra.run.dir={run}"
        )
        assert ended.code == 0, ended.err
    capsys.readouterr()
    origin.main(list(runs.values()))
    apart, shuffled = (json.loads((run / "origin.json").read_text()) for run in runs.values())
    assert list(apart) == ["val", "test"]
    assert list(shuffled) == ["val"]
    for figures in (*apart.values(), *shuffled.values()):
        assert figures["triplets"] > 0
        accepted = figures["tar"] * figures["triplets"]
        assert accepted == pytest.approx(round(accepted), abs=1e-6)
    assert capsys.readouterr().out.count(" triplets\n") == 3


def test_shuffled_triplets_are_those_of_the_images_of_val() -> None:
    data = build_data(
        Composer(config_dir(), "train")
        .compose(["debug=tiny", "data.split=triplets", "data.allow_leak=true"])
        .data
    )
    data.setup()
    [(part, triplets)] = origin.triplets_of(data).items()
    assert part == "val"
    assert np.array_equal(np.unique(triplets), data.parts["val"])
