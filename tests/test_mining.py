from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rows import take
from torch import Tensor

from facenet_lit import mining
from facenet_lit.batch import Rows, count_views
from facenet_lit.distances import ANCHORS_AT_ONCE, pair_blocks
from facenet_lit.errors import UserError
from facenet_lit.mining import AllMiner, BatchMiner, GivenMiner, HardMiner, MaskedMiner, Miner, SemiHardMiner


@st.composite
def batches(draw: st.DrawFn) -> tuple[Rows, Tensor]:
    """Rows with few identities, repeated images and many ties, and the rows that are anchors.

    Coordinates are small multiples of 1/4, so that float32 computes squared distances exactly.
    """
    size = draw(st.integers(1, 12))
    coordinates = st.lists(st.integers(-3, 3), min_size=2, max_size=2)
    embeddings = torch.tensor(draw(st.lists(coordinates, min_size=size, max_size=size))) / 4
    numbers = torch.tensor(draw(st.lists(st.integers(0, 8), min_size=size, max_size=size)))
    identity_of = torch.tensor(draw(st.lists(st.integers(0, 3), min_size=9, max_size=9)))
    anchors = torch.tensor(
        draw(st.lists(st.integers(0, size - 1), max_size=size, unique=True)), dtype=torch.long
    )
    views = torch.from_numpy(count_views(numbers.numpy()))
    return Rows(embeddings, identity_of[numbers], numbers, views), anchors


def distance(first: Tensor, second: Tensor) -> float:
    return float(((first - second) ** 2).sum() ** 0.5)


def is_genuine(anchors: Rows, a: int, rows: Rows, p: int, views: bool) -> bool:
    same_image = bool(anchors.numbers[a] == rows.numbers[p])
    if views and same_image:
        same_image = bool(anchors.views[a] == rows.views[p])
    return bool(anchors.identities[a] == rows.identities[p]) and not same_image


def negatives_of(anchors: Rows, a: int, rows: Rows) -> list[int]:
    return [n for n in range(len(rows.numbers)) if rows.identities[n] != anchors.identities[a]]


def semi_hard_by_loops(anchors: Rows, rows: Rows, views: bool = False) -> list[list[int]]:
    found = []
    for a in range(len(anchors.numbers)):
        for p in range(len(rows.numbers)):
            if not is_genuine(anchors, a, rows, p, views):
                continue
            limit = distance(anchors.embeddings[a], rows.embeddings[p])
            closest, farthest = None, None
            for n in negatives_of(anchors, a, rows):
                value = distance(anchors.embeddings[a], rows.embeddings[n])
                if value > limit and (closest is None or value < closest[0]):
                    closest = (value, n)
                if farthest is None or value > farthest[0]:
                    farthest = (value, n)
            chosen = closest or farthest
            if chosen is not None:
                found.append([a, p, chosen[1]])
    return found


def hard_by_loops(anchors: Rows, rows: Rows, views: bool = False) -> list[list[int]]:
    found = []
    for a in range(len(anchors.numbers)):
        to = [distance(anchors.embeddings[a], row) for row in rows.embeddings]
        positives = [p for p in range(len(to)) if is_genuine(anchors, a, rows, p, views)]
        negatives = negatives_of(anchors, a, rows)
        if positives and negatives:
            positive = max(positives, key=lambda p: (to[p], -p))
            found.append([a, positive, min(negatives, key=lambda n: (to[n], n))])
    return found


def all_by_loops(anchors: Rows, rows: Rows, views: bool = False) -> list[list[int]]:
    return [
        [a, p, n]
        for a in range(len(anchors.numbers))
        for p in range(len(rows.numbers))
        if is_genuine(anchors, a, rows, p, views)
        for n in negatives_of(anchors, a, rows)
    ]


BY_LOOPS = {SemiHardMiner: semi_hard_by_loops, HardMiner: hard_by_loops, AllMiner: all_by_loops}


@given(batches())
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("miner", BY_LOOPS)
def test_miners_of_the_batch_are_their_loops(miner: type[BatchMiner], batch: tuple[Rows, Tensor]) -> None:
    rows, chosen = batch
    anchors = take(rows, chosen)
    for views in (False, True):
        found = miner(views)(anchors, rows, None).tolist()
        assert found == BY_LOOPS[miner](anchors, rows, views)


@given(batches())
@settings(max_examples=50, deadline=None)
def test_many_positives_give_the_same_triplets(batch: tuple[Rows, Tensor]) -> None:
    rows, chosen = batch
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining, "MANY", 0)
        found = SemiHardMiner()(take(rows, chosen), rows).tolist()
    assert found == semi_hard_by_loops(take(rows, chosen), rows)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("identity_of", [lambda row: row // 4, lambda row: row % 2, lambda row: row // 300])
def test_large_batches_are_mined_in_blocks(
    dtype: torch.dtype, identity_of: Callable[[Tensor], Tensor]
) -> None:
    # Identities of 4, two halves, and of 300.
    numbers = torch.arange(2 * ANCHORS_AT_ONCE + 7)
    embeddings = torch.randn(len(numbers), 3, generator=torch.manual_seed(0), dtype=dtype)
    embeddings[1:3] = torch.tensor([[50.0], [100.0]])  # no negative is beyond the first pair
    rows = Rows(embeddings, identity_of(numbers), numbers)
    found = SemiHardMiner()(rows, rows)
    distances = torch.cat([block.distances for block in pair_blocks(rows, rows, squared=True, views=False)])
    genuine, impostor = rows.pairs_with(rows)
    assert torch.equal(found[:, :2], genuine.nonzero())
    a, p, n = found[:: 1 + len(found) // 2000].unbind(1)
    beyond = impostor[a] & (distances[a] > distances[a, p][:, None])
    closest = distances[a].masked_fill(~beyond, torch.inf).argmin(1)
    farthest = distances[a].masked_fill(~impostor[a], -1).argmax(1)
    assert torch.equal(n, torch.where(beyond.any(1), closest, farthest))
    assert 0 < int(beyond.any(1).sum()) < len(a)


def test_views_of_one_image_are_a_pair_only_where_that_is_said() -> None:
    embeddings = torch.tensor([[0.0, 0.0], [0.0, 0.5], [1.0, 0.0]])
    rows = Rows(embeddings, torch.tensor([5, 5, 6]), torch.tensor([8, 8, 9]), torch.tensor([0, 1, 0]))
    assert SemiHardMiner()(rows, rows).tolist() == []
    assert SemiHardMiner(views=True)(rows, rows).tolist() == [[0, 1, 2], [1, 0, 2]]
    with pytest.raises(ValueError, match="do not say which views"):
        SemiHardMiner(views=True)(rows._replace(views=None), rows)
    with pytest.raises(UserError, match=r"miner\.views"):
        SemiHardMiner(views="some")


@given(batches(), st.data())
@settings(max_examples=80, deadline=None)
def test_masked_keeps_what_the_loop_keeps(batch: tuple[Rows, Tensor], data: st.DataObject) -> None:
    rows, _ = batch
    places = st.integers(0, len(rows.numbers) - 1)
    drawn = data.draw(st.lists(st.tuples(places, places, places), max_size=20))
    kept = [
        list(triplet)
        for triplet in drawn
        if distance(rows.embeddings[triplet[0]], rows.embeddings[triplet[1]])
        < distance(rows.embeddings[triplet[0]], rows.embeddings[triplet[2]])
    ]
    given_triplets = torch.tensor(drawn, dtype=torch.long).reshape(-1, 3)
    assert MaskedMiner()(rows, rows, given_triplets).tolist() == kept
    assert GivenMiner()(rows, rows, given_triplets).tolist() == [list(triplet) for triplet in drawn]


def line(*places: float) -> Tensor:
    return torch.tensor(places)[:, None]


def test_semi_hard_by_hand() -> None:
    # Anchor at 0, positive at 2; negatives at 1 (too near), 3 (the closest beyond), 5.
    identities, numbers = torch.tensor([7, 7, 1, 2, 3]), torch.arange(5)
    rows = Rows(line(0, 2, 1, 3, 5), identities, numbers)
    assert SemiHardMiner()(take(rows, torch.tensor([0])), rows).tolist() == [[0, 1, 3]]
    # No negative beyond the positive at 9: the farthest, at 5.
    rows = Rows(line(0, 9, 1, 3, 5), identities, numbers)
    assert SemiHardMiner()(take(rows, torch.tensor([0])), rows).tolist() == [[0, 1, 4]]


def test_a_negative_as_far_as_the_positive_is_not_beyond_it() -> None:
    rows = Rows(line(0, 2, -2, 4), torch.tensor([0, 0, 1, 1]), torch.arange(4))
    assert SemiHardMiner()(take(rows, torch.tensor([0])), rows).tolist() == [[0, 1, 3]]


@pytest.mark.parametrize("miner", BY_LOOPS)
def test_without_positives_or_negatives_there_are_none(miner: type[BatchMiner]) -> None:
    alone = Rows(torch.eye(3), torch.arange(3), torch.arange(3))
    one_identity = Rows(torch.eye(3), torch.zeros(3, dtype=torch.long), torch.arange(3))
    same_image = Rows(torch.eye(3), torch.tensor([0, 0, 1]), torch.tensor([4, 4, 5]))
    for rows in (alone, one_identity, same_image):
        found = miner()(rows, rows)
        assert found.shape == (0, 3)
        assert found.dtype == torch.int64


def test_embeddings_that_are_not_numbers_still_give_rows() -> None:
    infinite = torch.full((6, 2), torch.inf)
    for embeddings in (
        infinite / infinite,
        torch.full((6, 2), torch.nan),
        torch.tensor([[torch.nan, 0.0]] + [[1.0, 0.0]] * 5),
    ):
        rows = Rows(embeddings, torch.arange(6) // 2, torch.arange(6))
        found = SemiHardMiner()(rows, rows)
        assert found[:, :2].tolist() == [[0, 1], [1, 0], [2, 3], [3, 2], [4, 5], [5, 4]]
        assert (found[:, 2] >= 0).all()
        assert (found[:, 2] < 6).all()


def test_hard_takes_what_is_no_number_as_it_comes() -> None:
    rows = Rows(torch.full((6, 2), torch.nan), torch.arange(6) // 2, torch.arange(6))
    found = HardMiner()(rows, rows)
    assert found[:, :2].tolist() == [[0, 1], [1, 0], [2, 3], [3, 2], [4, 5], [5, 4]]
    assert (rows.identities[found[:, 2]] != rows.identities[found[:, 0]]).all()


def test_mining_takes_no_gradient_and_ignores_autocast() -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.nn.functional.normalize(torch.randn(32, 16, generator=generator), dim=1)
    rows = Rows(embeddings.requires_grad_(), torch.arange(32) // 4, torch.arange(32))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = SemiHardMiner()(rows, rows)
    full = rows._replace(embeddings=embeddings.detach().double())
    assert found.tolist() == semi_hard_by_loops(full, full)


def test_half_embeddings_are_compared_in_full() -> None:
    embeddings = torch.nn.functional.normalize(torch.randn(40, 8, generator=torch.Generator().manual_seed(1)))
    half = Rows(embeddings.bfloat16(), torch.arange(40) // 4, torch.arange(40))
    full = half._replace(embeddings=half.embeddings.float())
    assert torch.equal(SemiHardMiner()(half, half), SemiHardMiner()(full, full))


@pytest.mark.parametrize("miner", [GivenMiner(), MaskedMiner()])
def test_drawn_triplets_are_asked_for(miner: Miner) -> None:
    rows = Rows(torch.eye(3), torch.arange(3), torch.arange(3))
    with pytest.raises(UserError, match=f"miner={miner.name}.*sampler=triplets"):
        miner(rows, rows, None)
    assert miner.needs_given
    assert not SemiHardMiner.needs_given


@pytest.mark.parametrize(
    ("anchors", "given_shape", "text"),
    [
        (Rows(torch.eye(3), torch.arange(2), torch.arange(3)), None, "anchors"),
        (Rows(torch.zeros(3), torch.arange(3), torch.arange(3)), None, "anchors"),
        (Rows(torch.zeros(3, 4), torch.arange(3), torch.arange(3)), None, "sizes 4 and 3"),
        (Rows(torch.eye(3), torch.arange(3), torch.arange(3)), (4, 2), "given"),
    ],
)
def test_shapes_are_checked(anchors: Rows, given_shape: tuple[int, int] | None, text: str) -> None:
    rows = Rows(torch.eye(3), torch.arange(3), torch.arange(3))
    drawn = None if given_shape is None else torch.zeros(given_shape, dtype=torch.long)
    with pytest.raises(ValueError, match=text):
        SemiHardMiner()(anchors, rows, drawn)


@pytest.mark.parametrize("views", [False, True])
def test_semi_hard_asks_a_gpu_only_how_many_pairs_there_are(
    views: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is on the meta device has no values: whoever asks for one gets an error.
    asked = []

    def places(mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(mask.shape)
        return mask.new_empty(7, dtype=torch.long), mask.new_empty(7, dtype=torch.long)

    monkeypatch.setattr(mining, "places", places)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    numbers = torch.arange(20, device="meta")
    rows = Rows(torch.empty(20, 4, device="meta"), numbers, numbers, numbers)
    assert SemiHardMiner(views)(rows, rows).shape == (7, 3)
    assert asked == [(20, 20)]
