from facenet_lit.health.illnesses import ILLNESSES, OF_A_BATCH
from facenet_lit.health.watch import GONE_AFTER, Watch

PATIENCE = ILLNESSES["collapse"].looks


def told(watch: Watch, *shown: str | None) -> list[str | None]:
    return [watch.note(name, OF_A_BATCH) for name in shown]


def test_told_once_after_so_many_looks_in_a_row() -> None:
    ill = ["collapse"] * 20
    assert told(Watch(), *ill) == [None] * (PATIENCE - 1) + ["collapse"] + [None] * (20 - PATIENCE)


def test_a_look_without_it_starts_the_count_again() -> None:
    almost = ["collapse"] * (PATIENCE - 1)
    assert not any(told(Watch(), *almost, None, *almost, "exploding", *almost))


def test_told_again_only_where_it_had_gone_for_a_while() -> None:
    watch = Watch()
    ill = ["collapse"] * PATIENCE
    assert told(watch, *ill)[-1] == "collapse"
    assert not any(told(watch, *[None] * (GONE_AFTER - 1), *ill))
    assert told(watch, *[None] * GONE_AFTER, *ill)[-1] == "collapse"


def test_what_a_look_could_not_show_counts_neither_way() -> None:
    watch = Watch()
    assert told(watch, *["collapse"] * PATIENCE)[-1] == "collapse"
    for _ in range(2 * GONE_AFTER):
        watch.note(None, ("gap",))
    assert not any(told(watch, *["collapse"] * PATIENCE))


def test_a_graver_illness_hides_others_and_ends_none() -> None:
    looks = ILLNESSES["partial_collapse"].looks
    mixed = ["partial_collapse", "collapse"] * looks
    assert [name for name in told(Watch(), *mixed) if name] == ["partial_collapse"]
    # The graver one starts again where a look shows the lesser one alone.
    assert "collapse" not in told(Watch(), *mixed)


def test_what_is_at_once_bad_is_told_at_once() -> None:
    assert told(Watch(), "nan") == ["nan"]


def test_another_goes_on_where_one_was() -> None:
    first, second = Watch(), Watch()
    told(first, *["saturation"] * 3)
    second.take(first.state())
    rest = ["saturation", None, "nan", "saturation"]
    assert told(second, *rest) == told(first, *rest)
    assert second.state() == first.state()
