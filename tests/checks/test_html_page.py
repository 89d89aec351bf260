import base64
import re
from xml.etree import ElementTree

import cv2
import numpy as np
import torch

from facenet_lit.checks.finding import Finding, Verdict
from facenet_lit.checks.gallery import Row, Shown
from facenet_lit.checks.html_page import Pictures, html_page
from facenet_lit.checks.one_batch import Fit
from facenet_lit.checks.pixels import describe_pixels

ODD = '<script>"O\'Hara" & co</script>'
FACE = np.kron(np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20, np.ones((16, 16, 1), np.uint8))
FINDINGS = [
    Finding("people", Verdict.OK, f"said of {ODD}", "", [("", "n", "why"), (ODD, "1,000", "word")]),
    Finding("leaks", Verdict.STOP, "said", f"look at {ODD}"),
]


def page(losses: tuple[float, ...] = (0.2, 0.1, 0.01)) -> str:
    face = Shown(FACE, ODD)
    pictures = Pictures(
        people=[Row(ODD, [face, face])],
        triplets=[Row("triplet 0", [face] * 3)],
        drawn=ODD,
        images=[("1", 7), ("2", 3)],
        pixels=describe_pixels(torch.rand(2, 3, 8, 8)),
        fit=Fit(losses, 1.0, 0.2, 6),
    )
    return html_page(ODD, FINDINGS, pictures)


def test_it_is_well_formed_and_names_are_text() -> None:
    text = page()
    root = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert root.tag == "html"
    assert not list(root.iter("script"))
    assert root.find("head/title").text == f"doctor: {ODD}"
    assert root.find("body/main/section/p").text == f"said of {ODD}"
    assert root.find("body/main/section/div/table/tbody/tr/th").text == ODD
    assert {image.get("alt") for image in root.iter("img")} == {ODD}
    assert [caption.text for caption in root.iter("figcaption")] == [ODD]


def test_it_stands_by_itself() -> None:
    text = page()
    assert not re.search(r"https?:|//\w", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    root = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert not [node.tag for node in root.iter() if node.tag in ("link", "a", "iframe", "object", "script")]
    sources = [node.get("src") for node in root.iter() if node.get("src")]
    assert len(sources) == 2 + 3
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_the_pictures_are_those_that_were_shown() -> None:
    [source, *_] = re.findall(r"base64,([A-Za-z0-9+/=]+)", page())
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(source), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(decoded.astype(int) - FACE).mean() < 8


def test_words_stand_left_and_numbers_right() -> None:
    text = page()
    assert '<td>1,000</td><td class="words">word</td>' in text
    assert '<th scope="col">n</th><th scope="col" class="words">why</th>' in text


def test_a_loss_that_is_no_number_leaves_a_page() -> None:
    for losses in ((0.2, float("nan")), (float("nan"),)):
        text = page(losses)
        ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
        assert "nan" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
