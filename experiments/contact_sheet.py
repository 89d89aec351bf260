"""Draws a contact sheet of the synthetic faces: a row per identity, a column per picture of it.

    python experiments/contact_sheet.py FILE [IDENTITIES IMAGES SIZE SEED]

FILE ends in .png or .jpg. SIZE is the side of a picture in pixels, at which it is drawn.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from facenet_lit.errors import UserError
from facenet_lit.sources.synthetic import SyntheticFaces

GAP = 4  # white pixels between pictures
_QUALITY = {".png": (cv2.IMWRITE_PNG_COMPRESSION, 9), ".jpg": (cv2.IMWRITE_JPEG_QUALITY, 90)}


def contact_sheet(identities: int, images: int, size: int, seed: int) -> npt.NDArray[np.uint8]:
    """The sheet, (H, W, 3) RGB."""
    source = SyntheticFaces(identities, images, size, seed)  # refuses bad values
    step = size + GAP
    sheet = np.full((identities * step - GAP, images * step - GAP, 3), 255, np.uint8)
    for number, draw in source.pictures():
        row, column = divmod(number, images)
        sheet[row * step : row * step + size, column * step : column * step + size] = draw()
    return sheet


def main(file: Path, identities: int = 6, images: int = 9, size: int = 88, seed: int = 0) -> None:
    """Writes the sheet."""
    if file.suffix not in _QUALITY:
        raise UserError(f"{file}: expected a name that ends in .png or .jpg")
    if not file.parent.is_dir():
        raise UserError(f"{file}: expected a folder that exists; make {file.parent}")
    bgr = cv2.cvtColor(contact_sheet(identities, images, size, seed), cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(file.suffix, bgr, _QUALITY[file.suffix])[1]
    partial = file.with_suffix(".partial")
    partial.write_bytes(encoded.tobytes())
    partial.replace(file)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 6):
        sys.exit(__doc__)
    try:
        # What is no number is refused, by its setting's name, where it is used.
        main(Path(sys.argv[1]), *(int(text) if text.isdecimal() else text for text in sys.argv[2:]))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
