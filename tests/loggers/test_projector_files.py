from pathlib import Path

import numpy as np
import torch
from google.protobuf import text_format
from tensorboard.plugins.projector import projector_plugin
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from facenet_lit.loggers.projector_files import CONFIG, METADATA, TENSORS, sprite, write_projector


def test_a_sprite_is_read_row_by_row() -> None:
    thumbnails = np.random.default_rng(0).integers(1, 256, (5, 4, 4, 3), dtype=np.uint8)
    made = sprite(thumbnails)
    assert made.shape == (12, 12, 3)
    for number in range(9):
        top, left = 4 * (number // 3), 4 * (number % 3)
        cell = made[top : top + 4, left : left + 4]
        assert np.array_equal(cell, thumbnails[number]) if number < 5 else not cell.any()


def test_tensorboard_reads_the_vectors_and_odd_names_keep_their_lines(tmp_path: Path) -> None:
    vectors = torch.nn.functional.normalize(torch.randn(3, 8, generator=torch.manual_seed(0)))
    labels = [("Ada", "Ada/1.jpg"), ("tab\there", "line\nbreak"), ("caf\udce9", "Z\xfcrich/2.png")]
    for _ in range(2):  # over what is there
        write_projector(tmp_path, "val", vectors, labels, np.zeros((3, 8, 8, 3), np.uint8))
    assert np.allclose(projector_plugin._read_tensor_tsv_file(str(tmp_path / TENSORS)), vectors, atol=1e-5)
    lines = (tmp_path / METADATA).read_text(encoding="utf-8").split("\n")
    assert lines == [
        "identity\tpicture", "Ada\tAda/1.jpg", "tab?here\tline?break", "caf?\tZ\xfcrich/2.png", ""
    ]  # fmt: skip
    config = text_format.Parse((tmp_path / CONFIG).read_text(), ProjectorConfig())
    assert list(config.embeddings[0].sprite.single_image_dim) == [8, 8]
    assert len(config.embeddings) == 1
    assert not list(tmp_path.rglob("*.partial"))
