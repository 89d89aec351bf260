from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet_lit.errors import UserError
from facenet_lit.sources.listed_files import read_list


@pytest.fixture
def root(tmp_path) -> Path:
    for file in ("a.jpg", "b.jpg", "sub/c.jpg", "Zoë, 1.jpg", 'say "hi".jpg', "line\nbreak.jpg", " d.jpg"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(b"")
    return tmp_path


def listed(root: Path, content: str | bytes) -> list[tuple[str, str]]:
    file = root / "list.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_list(file, root)


def test_identity_and_path_in_the_order_of_the_list(root):
    assert listed(root, "path,identity\nsub/c.jpg,Bo\na.jpg,Ada\n") == [("Bo", "sub/c.jpg"), ("Ada", "a.jpg")]


@pytest.mark.parametrize(
    "content",
    [
        "identity,path\nAda,a.jpg\nBo,b.jpg",
        "age, Identity ,note,PATH\n3, Ada ,x,a.jpg\n4,Bo,y, b.jpg",
        "path,identity\r\na.jpg,Ada\r\nb.jpg,Bo\r\n",
        "\ufeffpath,identity\na.jpg,Ada\nb.jpg,Bo\n",
        '\ufeff"path","identity"\n"a.jpg","Ada"\n"b.jpg","Bo"\n',
        "path,identity\n./a.jpg,Ada\nsub//../b.jpg,Bo\n",
        "path,identity,more\na.jpg,Ada\nb.jpg,Bo,1,2,3\n",
    ],
)
def test_spreadsheets_write_it_in_several_ways(root, content):
    assert listed(root, content) == [("Ada", "a.jpg"), ("Bo", "b.jpg")]


def test_odd_names_are_quoted(root):
    content = 'path,identity\n"Zoë, 1.jpg","Zoë, the 1st"\n"say ""hi"".jpg",b/c\n"line\nbreak.jpg",小明\n" d.jpg",x\n'
    assert listed(root, content) == [
        ("Zoë, the 1st", "Zoë, 1.jpg"),
        ("b/c", 'say "hi".jpg'),
        ("小明", "line\nbreak.jpg"),
        ("x", " d.jpg"),
    ]


def test_paths_may_be_absolute(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "e.jpg"
    elsewhere.write_bytes(b"")
    assert listed(root, f"path,identity\n{elsewhere},Ada\n") == [("Ada", str(elsewhere))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"line 1: an empty line; expected one column path"),
        (
            "a.jpg,Ada\n",
            r"line 1: columns 'a\.jpg', Ada; expected one column path|line 1: columns a\.jpg, Ada; exp",
        ),
        (
            "path;identity\na.jpg;Ada\n",
            r"line 1: columns 'path;identity'; expected one column path; the first line",
        ),
        ("path,name\na.jpg,Ada\n", r"line 1: columns path, name; expected one column identity"),
        (
            "path,identity,Path\na.jpg,Ada,a\n",
            r"line 1: columns path, identity, Path; expected one column path",
        ),
        ("path,identity\n", r"line 2: no row; expected a path and an identity"),
        ("path,identity\na.jpg,Ada\n\nb.jpg,Bo\n", r"line 3: an empty row"),
        ("path,identity\na.jpg,Ada\n , \n", r"line 3: an empty row"),
        ("path,identity\na.jpg,Ada\nb.jpg\n", r"line 3: 1 cells; expected 2 or more, as in its first line"),
        ("path,identity\na.jpg,\n", r"line 2: no identity"),
        ("path,identity\n,Ada\n", r"line 2: no path"),
        (
            "path,identity\na.jpg,Ada\nb.jpg,Bo\na.jpg,Ada\n",
            r"line 4: a\.jpg is in line 2 already; expected every",
        ),
        (
            "path,identity\na.jpg,Ada\n./a.jpg,Bo\n",
            r"line 3: a\.jpg is in line 2 already of Ada, now of Bo; expected",
        ),
        (
            "path,identity\na.jpg,Ada\nx.jpg,Ada\n",
            r"line 3: no file x\.jpg in [^;]*; expected paths of files",
        ),
        (
            "path,identity\nx.jpg,Ada\ny.jpg,Ada\nsub,Ada\n",
            r"line 2: no file x\.jpg in .*, and 2 more are missing;",
        ),
        ('path,identity\n"line\nbreak.jpg",Ada\nx.jpg,Ada\n', r"line 4: no file x\.jpg"),
        (
            'path,identity\na.jpg,"Ada\nb.jpg,Bo\n',
            r"line \d: unexpected end of data; expected fields parted by",
        ),
        (
            "path,identity\na.jpg,Zo\udceb\n".encode("utf-8", "surrogateescape"),
            r"list\.csv: not UTF-8; expected",
        ),
        (
            "path,identity\na.jpg,Ada\n".encode("utf-16"),
            r"list\.csv: not UTF-8; expected a CSV file in UTF-8",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(root, content, message):
    with pytest.raises(UserError, match=message) as caught:
        listed(root, content)
    assert str(caught.value).startswith(f"data.list={root / 'list.csv'}: ")
    assert "\n" not in str(caught.value)


def test_a_list_that_can_not_be_read(root):
    with pytest.raises(UserError, match="can't be read"):
        read_list(root / "sub", root)


TEXT = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=6)
FILES = TEXT.filter(lambda name: name not in (".", "..", "list.csv"))


@given(st.dictionaries(FILES, TEXT.filter(str.strip), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_the_csv_module_writes_is_read(rows):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["path", "identity"])
    writer.writerows(rows.items())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for file in rows:
            (root / file).write_bytes(b"")
        assert listed(root, text.getvalue()) == [(identity.strip(), path) for path, identity in rows.items()]
