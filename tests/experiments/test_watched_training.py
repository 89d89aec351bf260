"""What is kept of a training is what it did."""

import numpy as np
import torch
from watched_training import Setting, train_together


def test_every_step_is_kept_and_comes_to_the_same_again() -> None:
    setting = Setting("triplets", "given", steps=3)
    first, again = (train_together(setting) for _ in range(2))
    assert len(first.losses) == len(first.rows) == len(first.triplets) == 3
    assert first.losses == again.losses
    assert all(torch.equal(value, again.weights[name]) for name, value in first.weights.items())
    identities = np.repeat(np.arange(len(setting.counts)), setting.counts)
    for rows, triplets in zip(first.rows, first.triplets, strict=True):
        assert len(rows) == 3 * len(triplets) <= setting.batch_size
        for anchor, positive, negative in triplets:
            a, p, n = (identities[rows[row][0]] for row in (anchor, positive, negative))
            assert a == p != n
