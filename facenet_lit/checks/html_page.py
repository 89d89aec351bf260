"""The page as one HTML file: no script, no link, every picture in it."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2

from facenet_lit.checks.charts import bars, lines
from facenet_lit.checks.finding import Cells, Finding, is_number, tally, worst
from facenet_lit.checks.gallery import Row, Shown
from facenet_lit.checks.one_batch import Fit
from facenet_lit.checks.page_style import STYLE
from facenet_lit.checks.pixels import COLOURS, Pixels
from facenet_lit.checks.terminal_page import closing
from facenet_lit.preprocessing import Picture

QUALITY = 88  # of the JPEGs


@dataclass(frozen=True)
class Pictures:
    """What the page shows beside the findings.

    Attributes:
        people: rows of faces.
        triplets: rows of anchor, positive and negative.
        drawn: how the triplets were chosen.
        images: how many people have so many images.
        pixels: as the network gets them.
        fit: the steps on one batch.
    """

    people: Sequence[Row]
    triplets: Sequence[Row]
    drawn: str
    images: Sequence[tuple[str, int]]
    pixels: Pixels
    fit: Fit


def html_page(title: str, findings: Sequence[Finding], pictures: Pictures) -> str:
    """The whole file.

    Args:
        title: what was looked at.
        findings: in the order in which they are told.
        pictures: what is shown below them.
    """
    verdict = worst(findings)
    body = [
        f"<header><h1>doctor</h1><p>{escape(title)}</p>",
        f'<p class="sum"><b class="{verdict}">{verdict}</b> {tally(findings)}. {closing(findings)}</p></header>',
        *map(_finding, findings),
        *_pictures(pictures),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        '<meta name="color-scheme" content="light dark"/>'
        f"<title>doctor: {escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{chr(10).join(body)}</main></body></html>\n"
    )


def _finding(finding: Finding) -> str:
    head = f'<h2><b class="{finding.verdict}">{finding.verdict}</b> {escape(finding.name)}</h2>'
    advice = f'<p class="advice {finding.verdict}">{escape(finding.advice)}</p>' if finding.advice else ""
    return f"<section>{head}<p>{escape(finding.said)}</p>{_table(finding.table)}{advice}</section>"


def _table(table: Sequence[Cells]) -> str:
    if not table:
        return ""
    sides = ["" if is_number(cell) else ' class="words"' for cell in table[-1]]
    heads = "".join(
        f'<th scope="col"{side}>{escape(cell)}</th>' for side, cell in zip(sides, table[0], strict=True)
    )
    rows = "".join(_table_row(cells, sides) for cells in table[1:])
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _table_row(cells: Cells, sides: Sequence[str]) -> str:
    others = "".join(
        f"<td{side}>{escape(cell)}</td>" for side, cell in zip(sides[1:], cells[1:], strict=True)
    )
    return f'<tr><th scope="row">{escape(cells[0])}</th>{others}</tr>'


def _pictures(pictures: Pictures) -> list[str]:
    centres = [(a + b) / 2 for a, b in zip(pictures.pixels.edges, pictures.pixels.edges[1:], strict=False)]
    curves = [
        (colour, centres, heights) for colour, heights in zip(COLOURS, pictures.pixels.heights, strict=True)
    ]
    legend = " ".join(f'<span class="{colour}">{colour}</span>' for colour in COLOURS)
    return [
        _section("Images of a person", "How many training people have so many images.",
                 bars(pictures.images, "people by their number of images")),
        _section("Pixels", f"Share of the values that the network gets: {legend}.",
                 lines(curves, "histogram of pixels, by channel")),
        _section("One batch", "The loss over its triplets, step by step.", _loss(pictures.fit)),
        _section("People", "As the network gets them, augmented, before normalisation.",
                 "".join(_faces(row.name, row.shown) for row in pictures.people)),
        _section("Triplets", f"Anchor, positive, negative: {escape(pictures.drawn)}.",
                 f'<div class="triplets">{"".join(map(_triplet, pictures.triplets))}</div>'),
    ]  # fmt: skip


def _section(name: str, about: str, inside: str) -> str:
    return f"<section><h2>{name}</h2><p>{about}</p>{inside}</section>"


def _loss(fit: Fit) -> str:
    finite = [(float(step), loss) for step, loss in enumerate(fit.losses, 1) if math.isfinite(loss)]
    if not finite:
        return "<p>No step had a finite loss.</p>"
    steps, losses = zip(*finite, strict=True)
    rules = [("margin", fit.margin), ("a tenth of it", fit.goal)]
    return lines([("loss", steps, losses)], "loss of the steps on one batch", rules)


def _faces(name: str, shown: Sequence[Shown]) -> str:
    faces = "".join(_picture(one) for one in shown)
    return f'<figure><figcaption>{escape(name)}</figcaption><div class="faces">{faces}</div></figure>'


def _triplet(row: Row) -> str:
    return f'<div class="faces">{"".join(_picture(one) for one in row.shown)}</div>'


def _picture(one: Shown) -> str:
    name = escape(one.name, quote=True)
    return f'<img src="data:image/jpeg;base64,{_encoded(one.picture)}" alt="{name}" title="{name}"/>'


def _encoded(picture: Picture) -> str:
    """A picture as JPEG in base 64."""
    done, encoded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    return base64.b64encode(encoded.tobytes()).decode("ascii")
