from pathlib import Path

import numpy as np
from PIL import Image

from facenet_lit.png_file import write_png


def test_another_reader_finds_the_same_pixels_and_nothing_else_is_left(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    path = tmp_path / "val" / "roc.png"
    write_png(path, picture[:, ::-1])
    write_png(path, picture)
    assert np.array_equal(np.asarray(Image.open(path)), picture)
    assert list(path.parent.iterdir()) == [path]
