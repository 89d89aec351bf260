"""torch.compile: the same embeddings and gradients, the same names, and what is missing is told at once."""

import shutil
from pathlib import Path

import pytest
import torch
from entry_points import TINY, call

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.backbones.resnext import ResNeXt
from facenet_lit.compilation import check_compiler, compile_backbone
from facenet_lit.errors import UserError
from facenet_lit.train import main


def made() -> Embedder:
    torch.manual_seed(0)
    backbone = ResNeXt([1, 1], cardinality=2, group_width=4, width=8, expansion=2)
    return Embedder(backbone, 8, [0.5] * 3, [0.5] * 3).train()


@pytest.mark.slow
def test_a_compiled_network_is_the_same_network() -> None:
    images = torch.randint(0, 256, (6, 3, 64, 64), dtype=torch.uint8)
    plain, compiled = made(), made()
    compile_backbone(compiled)
    assert list(compiled.state_dict()) == list(plain.state_dict())
    results = []
    for embedder in (plain, compiled):
        embeddings = embedder(images)
        embeddings[:3].sub(embeddings[3:]).square().sum().backward()
        results.append([embeddings.detach(), *(weight.grad for weight in embedder.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_compiled_run_ends_and_its_checkpoint_needs_no_compiler(tmp_path: Path) -> None:
    ended = call(main, *TINY, "trainer.compile=true", f"hydra.run.dir={tmp_path}")
    assert ended.code == 0, ended.err
    state = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert not [name for name in state if "_orig_mod" in name]


def test_what_compiling_takes_is_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    check_compiler(False, "cpu")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UserError, match=r"^trainer\.compile=true: expected a C\+\+ compiler"):
        check_compiler(True, "cpu")
    monkeypatch.setattr("facenet_lit.compilation.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^trainer\.compile=true: expected the package triton"):
        check_compiler(True, "gpu")
