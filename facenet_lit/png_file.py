"""Writes a picture as a PNG file."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from facenet_lit.preprocessing import Picture


def write_png(path: Path, picture: Picture) -> None:
    """Writes a picture by rename: it is there whole or not at all.

    Args:
        path: where to; its folders are made.
        picture: (H, W, 3) uint8 RGB.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    partial.write_bytes(encoded.tobytes())
    os.replace(partial, path)
