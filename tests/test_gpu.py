"""Runs on a GPU against those of the CPU: ``pytest -m gpu``, where there is one."""

import json
from pathlib import Path

import pytest
import torch
from backbones.test_synced_batch_norm import batch, layer, two_steps
from gloo_processes import Processes
from many_processes import relative_differences
from test_gathering import gather_and_differentiate, objective, whole_batch
from test_processes import TRAIN, ended, start
from torch import nn

from facenet_lit.backbones.synced_batch_norm import sync_batch_norms
from facenet_lit.growth import shrunk

pytestmark = pytest.mark.gpu

CLOSE = 1e-4
STEPS = ("trainer.steps=20", "trainer.precision=32", "hydra.run.dir=run")
EXACT = {"NVIDIA_TF32_OVERRIDE": "0"}  # convolutions with all 24 bits


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / "run" / "checkpoints" / "last.ckpt"
    return dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process on the CPU."""
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    folder = tmp_path_factory.mktemp("cpu")
    ended(start(folder, *TRAIN, *STEPS, "model.dropout=0"))  # a GPU draws other numbers
    return folder


def test_one_gpu_gives_what_the_cpu_gives(on_cpu: Path, tmp_path: Path) -> None:
    ended(start(tmp_path, *TRAIN, *STEPS, "model.dropout=0", "trainer=gpu", **EXACT))
    assert all(
        off <= CLOSE for off in relative_differences(weights_of(on_cpu), weights_of(tmp_path)).values()
    )


def test_two_gpus_give_what_the_cpu_gives(on_cpu: Path, tmp_path: Path) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU here")
    settings = ("trainer=ddp", "trainer.accelerator=gpu", "trainer.devices=2")
    ended(start(tmp_path, *TRAIN, *STEPS, "model.dropout=0", *settings, **EXACT))
    assert all(
        off <= CLOSE for off in relative_differences(weights_of(on_cpu), weights_of(tmp_path)).values()
    )


def test_a_run_in_bfloat16_is_healthy(on_cpu: Path, tmp_path: Path) -> None:
    settings = ("trainer=gpu", "trainer.precision=bf16", "trainer.steps=60", "hydra.run.dir=run")
    ended(start(tmp_path, *TRAIN, *settings))
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert figures["val/eer_balanced"] < 0.5
    assert 0.01 < figures["val/impostor_distance"] < 2


@pytest.fixture
def gpu() -> str:
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    return "cuda:0"


@pytest.mark.parametrize("total", [1, 2, 7])
def test_two_gloo_processes_gather_tensors_of_a_gpu(gpu: str, together: Processes, total: int) -> None:
    whole = whole_batch(total)
    whole.embeddings.requires_grad_()
    objective(whole.embeddings, whole.embeddings).backward()
    results = together(2, gather_and_differentiate, total, True, gpu)
    for rows, _ in results:
        assert all(torch.equal(column, expected) for column, expected in zip(rows, whole, strict=True))
    gradient = torch.cat([gradient for _, gradient in results])
    assert torch.allclose(gradient, whole.embeddings.grad, rtol=1e-12, atol=1e-12)


def ours_and_torchs(device: str) -> tuple[float, float]:
    """Largest differences of output and input's gradient between our shared BatchNorm and torch's."""
    torchs = nn.SyncBatchNorm.convert_sync_batchnorm(layer(4, 0.1, True)).to(device)
    ours = sync_batch_norms(nn.Sequential(layer(4, 0.1, True))).to(device)
    results = [two_steps(norm, batch(8, 4).to(device)) for norm in (torchs, ours[0])]
    return tuple(float((one - other).abs().max()) for one, other in list(zip(*results, strict=True))[:2])


def test_shared_statistics_are_those_of_torchs_layer(gpu: str, together: Processes) -> None:
    for differences in together(2, ours_and_torchs, gpu):
        assert all(difference <= 1e-9 for difference in differences)


def test_images_shrink_there_as_on_the_cpu() -> None:
    images = torch.randint(
        0, 256, (4, 3, 80, 80), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    there = shrunk(images.cuda(), 48)
    assert there.dtype == torch.uint8
    # The CPU rounds whole numbers after rows and after columns.
    assert (there.cpu().int() - shrunk(images, 48).int()).abs().max() <= 1
