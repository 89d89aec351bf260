import logging

import pytest
import torch
from torch import nn

from facenet_lit import precision
from facenet_lit.errors import UserError
from facenet_lit.precision import choose_precision, in_full, lay_out, probe

CPU = torch.device("cpu")


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4))


def made() -> tuple[nn.Module, torch.Tensor]:
    images = torch.randn(4, 3, 8, 8)
    module = network()
    module(images)
    return module, images


def test_what_is_said_is_taken() -> None:
    module, images = made()
    assert choose_precision("bf16", module, images, CPU) == "bf16"
    assert choose_precision(32, module, images, CPU) == "32"  # YAML makes a number of it


def test_nonsense_is_refused() -> None:
    module, images = made()
    with pytest.raises(UserError, match=r"trainer\.precision=fast"):
        choose_precision("fast", module, images, CPU)


def test_the_probe_leaves_network_and_random_state_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "PROBE_SECONDS", 0.01)
    module, images = made()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    seconds = probe(module, images, CPU)
    assert set(seconds) == {"32", "bf16"}
    assert all(0 < value < 60 for value in seconds.values())
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert choose_precision("auto", module, images, CPU) in ("32", "bf16")


@pytest.mark.parametrize(("slower", "passes"), [(10.0, 2), (3.0, 2 * 4)])
def test_a_hopeless_arithmetic_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, slower: float, passes: int
) -> None:
    tried = []
    monkeypatch.setattr(precision, "PROBE_SECONDS", 0)
    monkeypatch.setattr(
        precision,
        "_seconds_of_a_pass",
        lambda module, images, device, name: tried.append(name) or {"32": 1.0, "bf16": slower}[name],
    )
    module, images = made()
    assert probe(module, images, CPU) == {"32": 1.0, "bf16": slower}
    assert len(tried) == passes
    assert tried[:2] == ["32", "bf16"]


@pytest.mark.parametrize(("gain", "chosen"), [(1.0, "32"), (1.05, "32"), (1.2, "bf16")])
def test_bfloat16_has_to_save_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, gain: float, chosen: str
) -> None:
    # What the clock says can't be had twice, so the decision is tested on times that are given.
    monkeypatch.setattr(precision, "probe", lambda *_: {"32": gain, "bf16": 1.0})
    module, images = made()
    with caplog.at_level(logging.INFO):
        assert choose_precision("auto", module, images, CPU) == chosen
    assert (
        f"{chosen}: a forward and backward pass of the probe takes {1000 * gain:.0f} ms in float32, 1000 ms in"
        in caplog.text
    )
    assert "CPU time of this process" in caplog.text


def test_layout_changes_strides_and_not_values() -> None:
    module, images = made()
    expected = module(images)
    lay_out(module)
    assert module[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(module(images), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_halves_are_scored_in_full(given: torch.dtype, kept: torch.dtype) -> None:
    assert in_full(torch.ones(2, 3, dtype=given)).dtype == kept
