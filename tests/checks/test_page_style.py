import re

from facenet_lit.checks.page_style import STYLE


def test_nothing_is_fetched() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_every_colour_is_given_for_light_and_dark() -> None:
    light, dark = STYLE.split("prefers-color-scheme: dark")
    used = set(re.findall(r"var\((--\w+)\)", STYLE))
    assert used == set(re.findall(r"(--\w+):", light.split("}")[0]))
    assert used == set(re.findall(r"(--\w+):", dark.split("}")[0]))
