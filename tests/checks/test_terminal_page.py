import io

from rich.console import Console

from facenet_lit.checks.finding import Finding, Verdict
from facenet_lit.checks.terminal_page import closing, terminal_page

FINDINGS = [
    Finding("people", Verdict.OK, "Ünïcode " * 30, "", [("", "n"), ("train", "1,000"), ("val", "7")]),
    Finding("leaks", Verdict.STOP, "[bold]a = b[/bold]", "do this " * 20),
    Finding("labels", Verdict.LOOK, "x", "y"),
]


def printed(terminal: bool, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system="auto")
    console.print(terminal_page("data=[x]", FINDINGS))
    return console.file.getvalue()


def test_it_is_a_hundred_columns_and_plain_where_it_is_piped() -> None:
    text = printed(terminal=False)
    assert "\x1b" not in text
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert max(map(len, printed(terminal=False, width=300).splitlines())) <= 100
    assert "\x1b[" in printed(terminal=True)


def test_verdicts_names_and_advice_stand_where_one_looks() -> None:
    lines = [line.rstrip() for line in printed(terminal=False).splitlines()]
    starts = [line.split()[:2] for line in lines if line[:4].strip()]
    assert starts == [["ok", "people"], ["stop", "leaks"], ["look", "labels"], ["stop", "in"]]
    assert "do this" in next(line for line in lines if "->" in line)
    assert lines[-1].endswith("1 stop, 1 look, 1 ok. Mend what is marked stop before a long run.")


def test_what_looks_like_markup_is_text() -> None:
    text = printed(terminal=False)
    assert "[bold]a = b[/bold]" in text
    assert "data=[x]" in text


def test_numbers_end_in_one_column() -> None:
    lines = printed(terminal=False).splitlines()
    ends = {len(line.rstrip()) for line in lines if "1,000" in line or line.strip().startswith("val")}
    assert len(ends) == 1


def test_the_closing_goes_by_the_worst() -> None:
    assert closing(FINDINGS[:1]) == "Nothing speaks against a long run."
    assert closing(FINDINGS[2:]).startswith("Nothing forbids")
