from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.sources.picture_files import Listing, existing_path, is_picture, read_file
from facenet_lit.sources.source import UnreadableImage

WORD = st.text("abAB-_0", min_size=1, max_size=3)


@given(st.sets(st.tuples(WORD, WORD), min_size=1, max_size=20))
def test_listing_is_sorted_and_loses_nothing(pairs):
    listing = Listing.of(f"{identity}/{file}" for identity, file in pairs)
    assert listing.files == tuple("/".join(pair) for pair in sorted(pairs))
    assert list(listing.names) == sorted({identity for identity, _ in pairs})
    assert [listing.names[i] for i in listing.identities] == [file.split("/")[0] for file in listing.files]


@given(st.dictionaries(WORD, WORD, max_size=20))
def test_listing_of_any_names(identity_of):
    listing = Listing.of_rows((identity, file) for file, identity in identity_of.items())
    assert listing.names == tuple(sorted(set(identity_of.values())))
    rows = [(listing.names[i], file) for i, file in zip(listing.identities, listing.files, strict=True)]
    assert rows == sorted((identity, file) for file, identity in identity_of.items())


def test_one_name_in_two_forms_of_unicode_is_one_identity():
    rows = [("Zoe\u0308", "a"), ("Zoe", "b"), ("Zo\u00eb", "c"), ("Zo\udceb", "d")]
    listing = Listing.of_rows(rows)
    assert listing.names == ("Zoe", "Zo\u00eb", "Zo\udceb")
    assert listing.files == ("b", "a", "c", "d")
    assert listing.identities.tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a.jpg", True),
        ("a.JPeG", True),
        ("a.b.PNG", True),
        (".a.jpg", False),
        ("._a.jpg", False),
        ("a.gif", False),
        *(
            (f"a.{suffix}", True)
            for suffix in ("jpeg", "bmp", "webp", "tif", "TIFF", "pbm", "pgm", "ppm", "pnm")
        ),
        ("a.jpg.txt", False),
        ("jpg", False),
    ],
)
def test_pictures_by_name(file, expected):
    assert is_picture(file) == expected


def test_a_file_that_is_gone_is_an_unreadable_image(tmp_path):
    with pytest.raises(UnreadableImage, match=r"^Ada/1\.jpg: No such file"):
        read_file(tmp_path / "1.jpg", "Ada/1.jpg")


@pytest.mark.parametrize("value", [None, "", "nowhere", 5])
def test_a_missing_path_names_setting_and_advice(value):
    with pytest.raises(UserError, match=r"^data\.root.*expected a folder; make one$"):
        existing_path("data.root", value, "a folder", "make one")


def test_what_does_not_decode_says_why(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"GIF89a")
    with pytest.raises(UnreadableImage, match=r"^'Ada, 1\.jpg': a GIF; mend or remove it") as caught:
        read_file(tmp_path / "1.jpg", "Ada, 1.jpg")
    assert (caught.value.name, caught.value.reason) == ("Ada, 1.jpg", "a GIF")
