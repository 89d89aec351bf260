"""Images per second of whole training: measured part by part, gone on with, and put into a table."""

import json
from pathlib import Path

import pytest
import torch
from benchmarks import training, training_ways


def test_the_table_has_the_networks_whose_parts_are_there() -> None:
    told = {
        "machine": {"cores": 2},
        "product": {"flops_per_second": 1e12},
        "resnext 112 flops": {"per_image": 1e9},
        "resnext 112 ours": {"images_per_second": 500.0},
        "resnext 112 lightning": {"images_per_second": 100.0},
        "resnext 112 loop": {"images_per_second": 625.0},
        "resnext 160 ours": {"images_per_second": 1.0},
    }
    lines = training.table(told).splitlines()
    assert lines[2:] == ["| resnext | 112 | 500 | 100 | 625 | 5.00 | 0.80 | 50% |"]


def test_operations_are_those_of_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a single layer the sum is known: forward, and backward for the weights."""
    monkeypatch.setattr(training, "embedder", lambda name: Linear())
    # 3 * 8 * 8 inputs, 10 outputs; the pixels have no gradient.
    assert training.flops_of_an_image("linear", 8) == 2 * 2 * 192 * 10


class Linear(torch.nn.Module):
    """A layer over all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(192, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layer(images.flatten(1).float())


@pytest.mark.slow
def test_every_part_runs_and_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"depths": [1, 1], "cardinality": 2, "group_width": 4, "width": 8, "expansion": 2}
    for module in (training, training_ways):
        monkeypatch.setattr(module, "NETWORKS", {"resnext": small})
    monkeypatch.setattr(training, "SIDES", (64,))
    monkeypatch.setattr(training_ways, "WARM", 2)
    monkeypatch.setattr(training, "PRODUCT", 64)
    setting = training.Setting("cpu", steps=20, rows=8, images=160, workers=0)
    training.main(tmp_path, setting)
    told = json.loads((tmp_path / "training.json").read_text())
    assert all(value > 0 for part in told if part != "machine" for value in told[part].values())
    table = (tmp_path / "training.md").read_text()
    assert len(table.splitlines()) == 3
    monkeypatch.setattr(training, "ours", pytest.fail)
    capsys.readouterr()
    training.main(tmp_path, setting)
    assert capsys.readouterr().out == table
