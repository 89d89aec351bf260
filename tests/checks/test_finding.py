from facenet_lit.checks.finding import Finding, Verdict, is_number, looked, some, tally, worst


def finding(verdict: Verdict) -> Finding:
    return Finding("name", verdict, "said")


def test_an_advice_makes_a_look() -> None:
    assert looked("n", "s", "").verdict is Verdict.OK
    assert looked("n", "s", "do").verdict is Verdict.LOOK


def test_the_worst_counts() -> None:
    found = [finding(Verdict.OK), finding(Verdict.STOP), finding(Verdict.LOOK), finding(Verdict.OK)]
    assert worst(found) is Verdict.STOP
    assert worst(found[2:]) is Verdict.LOOK
    assert worst([]) is Verdict.OK
    assert tally(found) == "1 stop, 1 look, 2 ok"
    assert tally(found[:1]) == "1 ok"


def test_a_few_names_stand_for_many() -> None:
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_numbers_are_told_from_words() -> None:
    assert [is_number(cell) for cell in ("1,000", "-0.5", "-", "0 (ok)", "train", "")] == [True] * 4 + [
        False
    ] * 2
