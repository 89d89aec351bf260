import numpy as np
import pytest
from large_table import LINE, made_up_table, main, measure


@pytest.mark.parametrize(("images", "identities"), [(10_000, 300), (301, 300), (300, 300)])
def test_a_made_up_table_has_so_many_of_each(images: int, identities: int) -> None:
    table = made_up_table(images, identities)
    assert len(table) == images
    assert np.unique(table).tolist() == list(range(identities))
    assert (np.diff(table) >= 0).all()


@pytest.mark.parametrize("name", ["triplets", "pk"])
def test_what_is_measured(name: str) -> None:
    found = measure(name, 30_000, 900)
    told, batches, rows, made, drawn, peak, _ = found
    assert told == name
    assert batches == (-(-29_100 // 342) if name == "triplets" else -(-900 // 240))
    assert rows >= 960
    assert min(made, drawn) > 0
    assert 0.05 < peak < 64
    line = LINE.format(*found)
    assert line.startswith(f"{name}: {batches:,} batches an epoch, the first has {rows:,} rows; made in ")


@pytest.mark.slow  # two fresh processes that import torch
def test_a_line_for_each_sampler(capsys: pytest.CaptureFixture[str]) -> None:
    main(["30000", "900"])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("30,000 images of 900 identities")
    assert [line.split(":")[0] for line in lines] == ["triplets", "pk"]
