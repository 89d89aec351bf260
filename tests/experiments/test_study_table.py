"""The table of a study: means over the seeds with every value, and a line for what was not run."""

from typing import Any

from study_table import cost_line, folds_line, label_of, origin_table, table


def row(eer: float, **more: Any) -> dict[str, Any]:
    """Figures of a run."""
    return {
        "steps": 10, "seconds": 2.6, "test/eer": eer, "test/eer_balanced": eer / 2, "val/eer": 0.5,
        "val/eer_balanced": 0.25, "test/tar_at_far_1e-2": 0.75, "test/tar_at_far_1e-2_balanced": None,
        "test/tar_at_far_1e-2_low": 0.7, "test/eer_balanced_low": eer / 2 + 0.05,
        "test/eer_balanced_high": eer / 2 + 0.15, **more,
    }  # fmt: skip


def cells(text: str) -> list[list[str]]:
    """What stands between the bars."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]


def test_means_and_every_value() -> None:
    found = [row(0.3), row(0.1, seconds=3.6), row(0.2)]
    first, _, balanced, pairs, missing = cells(
        table([({"model": "resnext"}, found), ({"model": "timm"}, [])])
    )
    assert first == [
        "cell",
        "seeds",
        "steps",
        "seconds",
        "val EER",
        "test",
        "EER",
        "95% bounds of a run",
        "TAR at 1e-2",
    ]
    assert balanced == [
        "model=resnext",
        "3",
        "10",
        "3 (3 to 4)",
        "0.2500",
        "balanced",
        "0.1000 (0.0500, 0.1000, 0.1500)",
        "0.1500 to 0.2500",
        "",
    ]
    assert pairs[4:] == ["0.5000", "over pairs", "0.2000 (0.1000, 0.2000, 0.3000)", "", "0.7500"]
    assert missing == ["model=timm", "0", "not run", "", "", "", "", "", ""]


def test_what_embedding_health_told_of() -> None:
    ill = row(0.5, health=["collapse at step 20: all in one point", "gap at step 40: more"])
    first, _, one, _, other, _ = cells(
        table([({"a": "1"}, [ill, row(0.5, health=[])]), ({"a": "2"}, [row(0.1)])])
    )
    assert first[-1] == "health"
    assert one[-1] == "collapse at step 20, gap at step 40; silent"
    assert other[-1] == "silent"


def test_labels() -> None:
    assert label_of({}) == "as it is"
    assert label_of({"model": "timm", "cell": "backbones/seconds"}) == "model=timm seconds"
    assert [line[0] for line in cells(table([({}, [])]))] == ["cell", "---", "as it is"]


def test_runs_without_figures_say_why_and_the_cell_of_the_rerun_is_marked() -> None:
    good = row(0.2)
    lost = {"seconds": 1, "test/eer": None, "health": ["nan at step 7: x"]}
    lines = cells(table([({"a": "1"}, [lost]), ({"a": "2"}, [good])], good))
    assert lines[2][:3] == ["a=1", "1", "no figures: nan at step 7"]
    assert [line[0] for line in lines[3:]] == ["a=2 *", "a=2 *"]


def test_rates_over_drawn_triplets_have_a_table_of_their_own() -> None:
    told = {"origin/val/triplets": 748, "origin/val/tar": 0.5, "origin/val/far": 0.25}
    found = [row(0.3, **told), row(0.3, **told | {"origin/val/tar": 0.7})]
    text = origin_table([({"a": "1"}, found), ({"a": "2"}, [row(0.2)]), ({"a": "3"}, [])])
    first, _, line = cells(text)
    assert first[:2] == ["cell", "over"]
    assert line == ["a=1", "748 triplets of val", "0.6000 (0.5000, 0.7000)", "0.2500", ""]
    assert "origin" not in table([({"a": "1"}, found)])
    assert origin_table([({"a": "1"}, [row(0.2)])]) is None


def test_the_cost_is_that_of_all_runs() -> None:
    one = row(0.3, seconds=1800, processor="P", cores=2, threads=1, gpu=None)
    two = row(0.3, seconds=5400, processor="P", cores=2, threads=2, gpu="G")
    assert cost_line([one, one, two]) == "3 runs, 2.5 hours of training in all, on 1 of 2 cores of P or G."
    assert cost_line([]) is None


def test_the_accuracy_over_folds_is_a_mean_of_those_that_were_run() -> None:
    found = [
        ({"data.fold": str(fold)}, [{"test/accuracy": value}]) for fold, value in enumerate((0.8, 0.9), 1)
    ]
    missing = ({"data.fold": "3"}, [])
    assert folds_line([*found, missing]) == "2 of 10 folds: mean accuracy 0.8500, standard error 0.0500."
    assert folds_line([found[0], missing]) == "1 of 10 folds: accuracy 0.8000."
    assert folds_line([missing]) is None
    assert folds_line([({"a": "1"}, [{"test/accuracy": 0.5}])]) is None
    assert (
        folds_line([({"a": "1", **choice}, rows) for choice, rows in found]) is None
    )  # two settings, no mean
