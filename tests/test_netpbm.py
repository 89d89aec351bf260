from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.netpbm import read_netpbm

MAXIMA = st.sampled_from([1, 3, 15, 100, 254, 255, 256, 1023, 4095, 65535])
GAPS = st.sampled_from([b" ", b"\n", b" # a note\n", b"\r\n", b"\n# 7 7 7\n\t"])


def raster(values: np.ndarray, kind: int, maximum: int) -> bytes:
    """Pixels as the manual pages tell, written one by one."""
    if kind == 4:
        rows = ["".join(map(str, row)) for row in values.tolist()]
        return b"".join(
            bytes(int(row[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(row), 8)) for row in rows
        )
    if kind in (5, 6):
        return b"".join(value.to_bytes(2 if maximum > 255 else 1, "big") for value in values.ravel().tolist())
    return (b"" if kind == 1 else b"\n").join(b"%d" % value for value in values.ravel().tolist())


@given(
    st.integers(1, 6),
    st.integers(1, 19),
    st.integers(1, 19),
    MAXIMA,
    GAPS,
    st.integers(0, 99),
    st.binary(max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_what_was_written_is_read(kind, height, width, maximum, gap, seed, behind):
    maximum = 1 if kind in (1, 4) else maximum
    shape = (height, width, 3) if kind in (3, 6) else (height, width)
    values = np.random.default_rng(seed).integers(0, maximum + 1, shape)
    header = [b"P%d" % kind, b"%d" % width, b"%d" % height, *([] if kind in (1, 4) else [b"%d" % maximum])]
    pixels = raster(values, kind, maximum)
    encoded = gap.join(header) + b"\n" + pixels + (b"" if kind < 4 else behind)
    found, white = read_netpbm(encoded)
    assert white == maximum
    np.testing.assert_array_equal(found, 1 - values if kind in (1, 4) else values)
    # A plain file that is cut within its last number can't be told from a whole one.
    whole = len(gap.join(header) + b"\n" + pixels)
    cut = encoded[: whole - (1 if kind in (1, 4, 5, 6) else len(b"\n%d" % values.ravel()[-1]))]
    with pytest.raises(ValueError, match=r"."):
        read_netpbm(cut)


def test_comments_between_the_numbers_of_a_plain_file():
    assert read_netpbm(b"P2 2 1 9\n3 # three\n7")[0].tolist() == [[3, 7]]


@pytest.mark.parametrize("kind", ["1", "L", "RGB"])
def test_as_pillow_writes_them(kind):
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, 3), dtype=np.uint8)
    picture = image.fromarray(pixels).convert(kind)
    file = io.BytesIO()
    picture.save(file, "PPM")
    values, white = read_netpbm(file.getvalue())
    np.testing.assert_array_equal(values, np.asarray(picture))
    assert white == (1 if kind == "1" else 255)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"P7 1 1 1\n",
        b"P5 2 2\n",
        b"P5 0 2 255\n",
        b"P5 2 2 0\n1234",
        b"P5 2 2 65536\n12345678",
        b"P5 2 2 100\nzzz\xff",  # 122 and 255, above 100
        b"P2 2 1 255\n1 x",
        b"P2 2 1 255\n1 -2",
        b"P2 2 1 255\n1 99999999999",
        b"P5 99999999999999999999 2 255\n",
        b"P6 999999999 999999999 255\n",
        b"P1 2 2\n101",
    ],
)
def test_what_is_malformed_is_refused(encoded):
    with pytest.raises(ValueError, match=r"."):
        read_netpbm(encoded)
