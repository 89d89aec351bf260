"""Rates of replicates of a bootstrap over identities, each at thresholds of its own: what bounds are taken from."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
from benchmarks.harness import Row
from made_up_people import Setting, drawn_set, tested_sizes

from facenet_lit.batch import Rows
from facenet_lit.metrics.bootstrap_counts import Replicates
from facenet_lit.metrics.bootstrap_draws import draw_counts
from facenet_lit.metrics.bootstrap_rates import replicate_rates
from facenet_lit.metrics.bootstrap_table import PairTable
from facenet_lit.metrics.exact_distances import ExactDistances
from facenet_lit.metrics.figures import BALANCED, tar_at_far_name
from facenet_lit.metrics.resampling import resample

IDENTITIES = 1_711  # with 3,708 images, as those of LFW's view 1 test
REPLICATES = 1_000
COMPARED, FEW = 400, 3  # identities that the results are compared on, and replicates that the peer does
THRESHOLD, FARS = 1.0, (0.1, 0.01, 0.001)


def rows() -> list[Row]:
    """As many replicates as final figures have, and so few that the usual way can be waited for."""
    images = len(made(IDENTITIES).numbers)
    work = f"{{:,}} replicates of {IDENTITIES:,} identities, {images:,} images"
    name = "all pairs' weights in the order of their distances, summed up anew in each replicate"
    bounds = partial(bounded, IDENTITIES)
    few, usual = (partial(way, IDENTITIES, FEW) for way in (ours, explicit))
    return [
        Row(f"bounds: {work.format(REPLICATES)}", bounds, None, None, partial(check, COMPARED), "", ""),
        Row(
            f"rates: {work.format(FEW)}", few, usual, None, partial(check, COMPARED), name, "", slow_peer=True
        ),
    ]


@cache
def made(identities: int) -> Rows:
    """Embeddings of so many made-up people, a few of whom have most of the images."""
    return drawn_set(Setting(identities, tested_sizes, ""), 0).rows


def bounded(identities: int) -> None:
    """What a run's final bounds take: the order of all pairs, replicates, and what is told without groups of people."""
    resample(PairTable.of_all(made(identities)), REPLICATES, THRESHOLD, FARS)


def ours(identities: int, replicates: int) -> dict[str, np.ndarray]:
    """The rates of some replicates."""
    counts = draw_counts(identities, replicates)
    return replicate_rates(Replicates(PairTable.of_all(made(identities)), counts), THRESHOLD, FARS)


def explicit(identities: int, replicates: int) -> dict[str, np.ndarray]:
    """The same by weighted ROC curves of all pairs, sorted once."""
    embeddings, people = made(identities)[:2]
    first, second = np.triu_indices(len(people), 1)
    whole = slice(0, len(people))
    steps = ExactDistances(embeddings).tile(whole, whole).numpy()[first, second]
    order = np.argsort(steps, kind="stable")
    one, other, distances = (
        people.numpy()[first[order]],
        people.numpy()[second[order]],
        steps[order] * 2.0**-20,
    )
    ends = np.append(np.flatnonzero(np.diff(distances)), len(distances) - 1)  # the last of each distance
    accepted = int((distances < THRESHOLD).sum()) - 1
    found = []
    for counts in draw_counts(identities, replicates).T.astype(np.float64):
        found.append(_rates(one, other, counts, ends, accepted))
    return {name: np.array([rates[name] for rates in found]) for name in found[0]}


def _rates(
    one: np.ndarray, other: np.ndarray, counts: np.ndarray, ends: np.ndarray, accepted: int
) -> dict[str, float]:
    """The rates of a replicate, of pairs (P,) in order, with the places of the last of each distance (K,)."""
    genuine, pairs_of = one == other, np.bincount(one[one == other], minlength=len(counts))
    fars = np.cumsum(np.where(genuine, 0, counts[one] * counts[other]))
    fars /= fars[-1]
    result = {"far": float(fars[accepted])}
    for ending, share in (("", np.ones(len(counts))), (BALANCED, 1 / np.maximum(pairs_of, 1))):
        tars = np.cumsum(np.where(genuine, counts[one] * share[one], 0))
        tars /= tars[-1]
        result["tar" + ending] = float(tars[accepted])
        far, tar = np.append(0, fars[ends]), np.append(0, tars[ends])
        for f in FARS:
            result[tar_at_far_name(f) + ending] = float(tar[far <= f].max())
        apart = np.round(np.abs(far - (1 - tar)), 12)
        result["eer" + ending] = float(((far + 1 - tar) / 2)[apart == apart.min()].min())
    return result


def check(identities: int) -> None:
    """On fewer identities each replicate has the same rates, whichever way."""
    mine, peers = ours(identities, FEW), explicit(identities, FEW)
    assert mine.keys() == peers.keys()
    for name, rates in mine.items():
        np.testing.assert_allclose(rates, peers[name], rtol=0, atol=1e-12, err_msg=name)
