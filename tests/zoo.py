"""A folder with one of everything that people's folders hold, of drawn faces, and what has to be said of it."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facenet_lit.sources.synthetic import SyntheticFaces

Encode = Callable[[np.ndarray], bytes]

PEOPLE = 40
SIDE = 64


def by_opencv(suffix: str, *options: int) -> Encode:
    """OpenCV's own encoder."""

    def encode(picture: np.ndarray) -> bytes:
        channels = picture[..., ::-1] if picture.ndim == 3 else picture
        return cv2.imencode(suffix, channels, list(options))[1].tobytes()

    return encode


def by_pillow(kind: str, mode: str = "RGB", **options: object) -> Encode:
    """Kinds of pixels that OpenCV can't write."""

    def encode(picture: np.ndarray) -> bytes:
        image, file = pytest.importorskip("PIL.Image"), io.BytesIO()
        if options.get("save_all"):
            options["append_images"] = [image.fromarray(255 - picture)]
        image.fromarray(picture).convert(mode).save(file, kind, **options)
        return file.getvalue()

    return encode


def on_its_side(picture: np.ndarray) -> bytes:
    """A JPEG as a camera that was held upright stores it: turned, and its EXIF tag says so."""
    plain = by_opencv(".jpg")(np.rot90(picture, 1))
    tags = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags + plain[2:]


def few_levels(picture: np.ndarray) -> bytes:
    """A PGM with values from 0 to 15."""
    return b"P5\n# 16 levels\n%d %d\n15\n" % (SIDE, SIDE) + (picture[..., 1] >> 4).tobytes()


def in_writing(picture: np.ndarray) -> bytes:
    """A plain PPM."""
    return b"P3 %d %d 255\n" % (SIDE, SIDE) + b"\n".join(b"%d" % value for value in picture.ravel().tolist())


def of_os2(picture: np.ndarray) -> bytes:
    """A BMP with the header of OS/2; the rows go from the bottom up, and are whole multiples of 4 bytes."""
    header = struct.pack("<IHHI", 26 + picture.size, 0, 0, 26) + struct.pack("<IHHHH", 12, SIDE, SIDE, 1, 24)
    return b"BM" + header + picture[::-1, :, ::-1].tobytes()


def with_alpha(picture: np.ndarray) -> np.ndarray:
    """The picture, half of it transparent."""
    return np.dstack([picture, np.full((SIDE, SIDE), 128, np.uint8)])


# One person each; how far pixels may be from the drawn ones, on average: None where they are not its colours.
FORMATS: dict[str, tuple[Encode, float | None]] = {
    "a.jpg": (by_opencv(".jpg"), 6),
    "b.JPEG": (on_its_side, 6),
    "c.Jpg": (by_pillow("JPEG", "CMYK", quality=95), 6),
    "d.png": (by_opencv(".png"), 0),
    "e.PNG": (lambda p: by_opencv(".png")(p.astype(np.uint16) * 257), 0),
    "f.png": (by_pillow("PNG", "P"), None),
    "g.png": (lambda p: by_pillow("PNG", "RGBA")(with_alpha(p)), 0),
    "h.bmp": (by_opencv(".bmp"), 0),
    "i.webp": (by_opencv(".webp", cv2.IMWRITE_WEBP_QUALITY, 101), 0),
    "j.webp": (by_pillow("WEBP", lossless=True, save_all=True), 0),
    "k.ppm": (by_opencv(".ppm"), 0),
    "l.pgm": (few_levels, None),
    "m.pnm": (in_writing, 0),
    "n.pbm": (lambda p: by_opencv(".pbm")((p[..., 1] > 99).astype(np.uint8) * 255), None),
    "o.tif": (by_pillow("TIFF", compression="tiff_lzw"), 0),
    "p.TIFF": (lambda p: by_opencv(".tiff")(p.astype(np.uint16) * 257), 0),
    "q.jpg": (lambda p: by_opencv(".jpg")(p[..., 1]), None),
    "r.bmp": (of_os2, 0),
}


def huge(_: np.ndarray) -> bytes:
    """A few bytes that promise 100,000 by 100,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")


def half(encode: Encode) -> Encode:
    """The first half of a file."""

    def halved(picture: np.ndarray) -> bytes:
        whole = encode(picture)
        return whole[: len(whole) // 2]

    return halved


# What doesn't decode, and why.
BROKEN: dict[str, tuple[Encode, str]] = {
    "cut.bmp": (half(by_opencv(".bmp")), "damaged or cut short"),
    "cut.jpg": (half(by_opencv(".jpg")), "cut short"),
    "cut.png": (half(by_opencv(".png")), "cut short"),
    "cut.ppm": (half(in_writing), "damaged or cut short"),
    "cut.tiff": (half(by_opencv(".tiff")), "cut short"),
    "cut.webp": (half(by_opencv(".webp")), "cut short"),
    "empty.jpg": (lambda _: b"", "an empty file"),
    "huge.png": (huge, "10000000000 pixels, more than 268435456"),
    "moves.jpg": (by_pillow("GIF"), "a GIF"),
    "text.jpg": (lambda _: b"my holidays", "no picture"),
}

ODD_NAMES = ("Zoë Ødegård", "小明", "O'Brien, Pat", "a=b", "line\nbreak", "100% {x} $HOME", "-n", "ñ" * 100)

REMARKS = (
    "2 pictures right in it, loose.jpg for one, are nobody's and left out; put each into its person's folder",
    "3 pictures in deeper folders, Person 30/2019/0.png for one, are of the person whose folder it is at the top",
    "2 folders without a picture, Empty for one, are passed over",
    "4 links to what is there anyway, Alias for one, are passed over",
    "1 links to nothing, Person 31/gone.png for one, are passed over",
    "4 files that are no pictures (.txt 2, no suffix 1, .gif 1) are passed over",
)
UNDECODABLE = f"{len(BROKEN)} pictures don't decode: " + ", ".join(
    f"Broken/{file} ({reason})" for file, (_, reason) in BROKEN.items()
)
NOISE = (
    "label noise: 1 pictures are under more than one identity, Person 32/0.png = Person 33/same.bmp; "
    "they are used under each; keep each under the person it shows"
)
REPEATS = (
    "duplicates: 2 images repeat another of the same identity, Person 34/0.png = Person 34/1 (copy).png, "
    "Person 34/0.png = Person 34/another.webp; they are left out, as two equal pictures are no genuine pair"
)


def faces() -> list[np.ndarray]:
    """Three drawn faces of each person, in order."""
    return [read() for _, read in SyntheticFaces(PEOPLE, 3, SIDE).pictures()]


def names() -> list[str]:
    """The people with pictures that decode, in the order of the drawn ones."""
    plain = [f"Person {number}" for number in range(len(ODD_NAMES), PEOPLE)]
    return [*ODD_NAMES, *plain]


def build(root: Path) -> None:
    """Makes the folder."""
    drawn = faces()
    write = by_opencv(".png")
    for number, picture in enumerate(drawn):
        put(root / names()[number // 3] / f"{number % 3}.png", write(picture))
    for number, (file, (encode, _)) in enumerate(FORMATS.items()):
        put(root / "Formats" / file, encode(drawn[number][:, ::-1]))  # mirrored, that they be others
    for file, (encode, _) in BROKEN.items():
        put(root / "Broken" / file, encode(drawn[0]))
    add_files(root, drawn)
    add_links(root)


def add_files(root: Path, drawn: list[np.ndarray]) -> None:
    """Deeper folders, what is no picture, and equal pictures."""
    lossless = by_opencv(".webp", cv2.IMWRITE_WEBP_QUALITY, 101)
    mirrored = [by_opencv(".png")(picture[:, ::-1]) for picture in drawn[90:93]]
    for file, content in {
        "loose.jpg": mirrored[0],
        "loose.png": mirrored[0],
        "readme.txt": b"mine",
        ".DS_Store": b"",
        "__MACOSX/Person 30/0.png": mirrored[0],
        "Person 30/2019/0.png": mirrored[0],
        "Person 30/2019/May/1.png": mirrored[1],
        "Person 30/b/2.png": mirrored[2],
        "Person 30/._0.png": b"",
        "Person 30/Thumbs.db": b"",
        "Person 30/notes.TXT": b"mine",
        "Person 30/film.gif": b"GIF89a",
        "Person 30/LICENSE": b"mine",
        "Person 33/same.bmp": by_opencv(".bmp")(drawn[32 * 3]),
        "Person 34/1 (copy).png": by_opencv(".png")(drawn[34 * 3]),
        "Person 34/another.webp": lossless(drawn[34 * 3]),
    }.items():
        put(root / file, content)
    (root / "Empty").mkdir()
    (root / "Later" / "on").mkdir(parents=True)


def add_links(root: Path) -> None:
    """Links: to a pool beside, in circles, to a person under another name, and to nothing."""
    pool = root.resolve().parent / f"{root.name} pool"
    put(pool / "blob", by_opencv(".png")(faces()[0][::-1]))
    for link, target in {
        "Person 31/linked.png": str(pool / "blob"),
        "Person 31/linked again.png": "linked.png",
        "Person 31/up": "..",
        "Person 31/round/round": "../round",
        "Person 31/gone.png": "nowhere.png",
        "Alias": "Person 31",
    }.items():
        (root / link).parent.mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(target)


def put(path: Path, content: bytes) -> None:
    """Writes a file, and its folders where they are not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def add_name_in_latin_1(root: Path) -> bool:
    """A person whose folder's name is no UTF-8; whether the file system takes it."""
    folder = os.fsencode(root) + b"/Zo\xeb"
    try:
        os.mkdir(folder)
    except OSError:
        return False
    for number in range(3):
        put(Path(os.fsdecode(folder)) / f"{number}.png", by_opencv(".png")(faces()[number][::-1, ::-1]))
    return True
