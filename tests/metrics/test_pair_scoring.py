from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from facenet_lit.errors import UserError
from facenet_lit.metrics import exact_distances, pair_scoring, rates
from facenet_lit.metrics.pair_scoring import score_all_pairs, score_listed_pairs, score_lists, unique_rows


def unit_rows(images: int, people: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.nn.functional.normalize(torch.randn(images, 8, generator=generator))
    identities = torch.randint(people, (images,), generator=generator)
    return embeddings, identities, torch.randperm(3 * images, generator=generator)[:images]


def with_repeats(rows, repeats: int):
    embeddings, identities, numbers = rows
    index = torch.cat([torch.arange(len(numbers)), torch.arange(repeats)])
    return embeddings[index], identities[index], numbers[index]


def loop(embeddings, identities, numbers) -> tuple[list[tuple[float, int]], list[float]]:
    """Every pair of different images by a plain loop, in float64."""
    images = {}
    for embedding, identity, number in zip(embeddings, identities, numbers, strict=True):
        images.setdefault(int(number), (embedding.double().numpy(), int(identity)))
    genuine, impostor = [], []
    for (x, one), (y, other) in itertools.combinations(images.values(), 2):
        distance = float(np.linalg.norm(x - y))
        if one == other:
            genuine.append((distance, one))
        else:
            impostor.append(distance)
    return sorted(genuine), sorted(impostor)


@pytest.mark.parametrize("block", [1, 7, 256])
def test_all_pairs_are_those_of_a_loop_over_combinations(block, monkeypatch):
    monkeypatch.setattr(pair_scoring, "BLOCK", block)
    rows = with_repeats(unit_rows(40, 6), 5)
    pairs = score_all_pairs(*rows)
    genuine, impostor = loop(*rows)
    np.testing.assert_allclose(pairs.genuine, [d for d, _ in genuine], atol=6e-7)
    assert pairs.genuine_identities.tolist() == [identity for _, identity in genuine]
    np.testing.assert_allclose(pairs.impostor.values(), impostor, atol=6e-7)
    assert pairs.genuine.dtype == pairs.impostor.values().dtype == np.float32


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12), st.integers(1, 4), st.integers(0, 6), st.randoms(use_true_random=False))
def test_order_and_repeats_of_rows_make_no_difference(images, people, repeats, random):
    rows = unit_rows(images, people)
    pairs = score_all_pairs(*rows)
    more = with_repeats(rows, min(repeats, images))
    index = torch.tensor(random.sample(range(len(more[2])), len(more[2])), dtype=torch.long)
    shuffled = score_all_pairs(*(column[index] for column in more))
    assert np.array_equal(pairs.genuine, shuffled.genuine)
    assert np.array_equal(pairs.genuine_identities, shuffled.genuine_identities)
    assert np.array_equal(pairs.impostor.values(), shuffled.impostor.values())
    assert len(pairs.genuine) + len(pairs.impostor) == images * (images - 1) // 2


def test_of_rows_with_equal_numbers_the_first_is_kept_in_order_of_numbers():
    rows = unique_rows(
        torch.tensor([[1.0], [2.0], [3.0], [4.0]]).double(),
        torch.tensor([5, 6, 7, 8], dtype=torch.int32),
        torch.tensor([9, 2, 9, 1]),
    )
    assert rows.embeddings.tolist() == [[4.0], [2.0], [1.0]]
    assert rows.identities.tolist() == [8, 6, 5]
    assert rows.numbers.tolist() == [1, 2, 9]
    assert (rows.embeddings.dtype, rows.identities.dtype) == (torch.float32, torch.int64)


def test_autocast_does_not_round_the_distances():
    rows = unit_rows(20, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = score_all_pairs(*rows)
    assert np.array_equal(rounded.impostor.values(), score_all_pairs(*rows).impostor.values())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_embeddings_that_are_not_finite_are_refused(bad):
    embeddings, identities, numbers = unit_rows(6, 2)
    embeddings[3, 1] = bad
    with pytest.raises(UserError, match="embeddings hold NaN or infinity in 1 of 6 rows"):
        score_all_pairs(embeddings, identities, numbers)


def test_shapes_that_do_not_fit_are_refused():
    embeddings, identities, numbers = unit_rows(6, 2)
    with pytest.raises(UserError, match="identity and an image number for each row"):
        score_all_pairs(embeddings, identities[:5], numbers)


def test_listed_pairs_are_scored_as_often_as_they_are_listed():
    embeddings, identities, numbers = unit_rows(10, 3)
    where = list(itertools.combinations(range(10), 2))[::2]
    where += where[:4]
    pairs = score_listed_pairs(embeddings, identities, numbers, [[numbers[i], numbers[j]] for i, j in where])
    distances = [float((embeddings[i] - embeddings[j]).norm()) for i, j in where]
    same = [bool(identities[i] == identities[j]) for i, j in where]
    genuine = sorted(
        (d, int(identities[i])) for d, (i, _), s in zip(distances, where, same, strict=True) if s
    )
    np.testing.assert_allclose(pairs.genuine, [d for d, _ in genuine], atol=6e-7)
    assert pairs.genuine_identities.tolist() == [identity for _, identity in genuine]
    impostor = sorted(d for d, s in zip(distances, same, strict=True) if not s)
    np.testing.assert_allclose(pairs.impostor.values(), impostor, atol=6e-7)


@pytest.mark.parametrize("together", [5, 128])
def test_a_list_of_every_pair_gives_what_all_pairs_give(together, monkeypatch):
    monkeypatch.setattr(exact_distances, "_LISTED", together)
    rows = unit_rows(12, 3)
    pairs = list(itertools.combinations(rows[2].tolist(), 2))
    listed, every = score_listed_pairs(*rows, pairs), score_all_pairs(*rows)
    assert np.array_equal(listed.genuine, every.genuine)
    assert np.array_equal(listed.impostor.values(), every.impostor.values())


def test_several_lists_are_scored_as_each_alone_to_the_bit():
    rows = with_repeats(unit_rows(40, 6), 5)
    pairs = np.array(list(itertools.combinations(rows[2][3:30].tolist(), 2)))
    lists = [*np.array_split(np.random.default_rng(0).permutation(pairs)[:200], 10), pairs[:0], pairs]
    numbers, genuine, impostor = rows[2].tolist(), 0, 0
    for scored, listed in zip(score_lists(*rows, lists), lists, strict=True):
        # Each pair's distance as score_all_pairs finds it for its two rows alone.
        alone = [[numbers.index(number) for number in pair] for pair in listed]
        two = [score_all_pairs(*(column[pair] for column in rows)) for pair in alone]
        assert scored.genuine.tolist() == sorted(float(d) for one in two for d in one.genuine)
        assert scored.impostor.values().tolist() == sorted(
            float(d) for one in two for d in one.impostor.values()
        )
        by_itself = score_listed_pairs(*rows, listed)
        assert np.array_equal(scored.genuine_identities, by_itself.genuine_identities)
        genuine, impostor = genuine + len(scored.genuine), impostor + len(scored.impostor)
    assert genuine > 0
    assert genuine + impostor == sum(map(len, lists))


def test_only_rows_that_lists_name_are_made():
    embeddings, identities, numbers = unit_rows(6, 2)
    embeddings[5] *= 3  # would be refused
    pairs = [[numbers[0], numbers[1]], [numbers[2], numbers[4]]]
    assert (
        sum(
            len(one.genuine) + len(one.impostor)
            for one in score_lists(embeddings, identities, numbers, [pairs, pairs[:1]])
        )
        == 3
    )
    with pytest.raises(UserError, match="1 of 5 rows are longer"):
        score_lists(embeddings, identities, numbers, [pairs, [[numbers[0], numbers[5]]]])


@pytest.mark.gpu
def test_a_gpu_finds_the_same():
    rows = unit_rows(3000, 400)
    on_gpu, here = score_all_pairs(*rows, device="cuda"), score_all_pairs(*rows)
    assert np.array_equal(on_gpu.genuine, here.genuine)
    assert np.array_equal(on_gpu.genuine_identities, here.genuine_identities)
    assert np.array_equal(on_gpu.impostor.values(), here.impostor.values())


def test_rates_are_those_of_scikit_learn_on_the_same_distances():
    rows = unit_rows(300, 30)
    pairs = score_all_pairs(*rows)
    impostor = pairs.impostor.values()
    scores = -np.concatenate([pairs.genuine, impostor])
    genuine = np.arange(len(scores)) < len(pairs.genuine)
    fars, tars, _ = roc_curve(genuine, scores, drop_intermediate=False)
    for f in [*10.0 ** np.arange(-4, 0), *(np.arange(1, 40) / len(impostor)), 0.354, 1.0]:
        assert rates.tar_at_far(pairs, f) == tars[fars <= f * (1 + 1e-12)].max()
    assert rates.auc(pairs) == pytest.approx(roc_auc_score(genuine, scores), abs=1e-13)


def test_two_images_of_one_embedding_are_at_exactly_0():
    embeddings = torch.nn.functional.normalize(torch.randn(60, 512)).repeat(2, 1)
    identities, numbers = torch.arange(60).repeat(2), torch.arange(120)
    assert not score_all_pairs(embeddings, identities, numbers).genuine.any()


def test_an_empty_list_gives_no_pairs():
    pairs = score_listed_pairs(*unit_rows(4, 2), [])
    assert len(pairs.genuine) == len(pairs.impostor) == 0


def test_listed_numbers_without_an_embedding_are_refused():
    rows = unit_rows(4, 2)
    with pytest.raises(UserError, match="2 image numbers have no embedding, the first 900"):
        score_listed_pairs(*rows, [[rows[2][0], 900], [901, 900]])


def test_an_image_paired_with_itself_is_refused():
    rows = unit_rows(4, 2)
    with pytest.raises(UserError, match="paired with itself"):
        score_listed_pairs(*rows, [[rows[2][0], rows[2][0]]])
