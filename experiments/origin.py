"""TAR and FAR as they were once told: over drawn triplets, at the fixed threshold.

    python experiments/origin.py RUN...

Each RUN is the folder of a finished run on LFW. Of its triplets each anchor and positive is a genuine pair, each
anchor and negative an impostor pair, and the rates are those at the run's metrics.threshold, and the TAR at a FAR of
0.354. With data.split=triplets the triplets are the tenth of the whole set's that the split has set aside as val, as it
was done: their people and most of their pictures are trained on, and as training draws anew in every epoch, some of
their pairs too; it has 80% of the triplets, where the origin had 90%. With people apart, triplets are drawn by the same
rule of the people of val and of test. RUN/origin.json has the rates, and results.py takes them from there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from omegaconf import DictConfig, OmegaConf

from facenet_lit import run_folder
from facenet_lit.building import build_data
from facenet_lit.checkpoint import read_card, read_checkpoint
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.splits import VAL_SHARE
from facenet_lit.data.triplets import draw_triplets
from facenet_lit.errors import UserError
from facenet_lit.evaluation import embed
from facenet_lit.metrics.rates import tar_at_far
from facenet_lit.metrics.scored_pairs import ScoredPairs

BATCH = 256
FAR = 0.354  # the origin's, by the right denominator
IntArray = npt.NDArray[np.int64]


def triplets_of(data: FaceDataModule) -> dict[str, IntArray]:
    """(T, 3) image numbers of the triplets that rates are told over, by part."""
    if data.split != "triplets":
        return {part: data.fixed_triplets(part) for part in ("val", "test")}
    drawn = draw_triplets(data.faces.identities, "positive", "identity", data.split_seed, 0)
    return {"val": drawn[: round(len(drawn) * VAL_SHARE)]}


def rates(embeddings: torch.Tensor, triplets: IntArray, threshold: float) -> dict[str, float | None]:
    """TAR over anchors and positives, FAR over anchors and negatives, at distances below the threshold.

    Args:
        embeddings: (N, D) unit vectors.
        triplets: (T, 3) their rows.
        threshold: a Euclidean distance.
    """
    anchors, positives, negatives = embeddings[torch.from_numpy(triplets)].unbind(1)
    genuine, impostor = ((anchors - others).norm(dim=1).numpy() for others in (positives, negatives))
    at = tar_at_far(ScoredPairs.of(genuine, np.zeros(len(genuine), np.int64), impostor), FAR)
    return {
        "triplets": len(triplets),
        "tar": float((genuine < threshold).mean()),
        "far": float((impostor < threshold).mean()),
        f"tar_at_far_{FAR}": at,
    }


def told(run: Path) -> dict[str, Mapping[str, float | None]]:
    """The rates of a run's best checkpoint, by part."""
    config = OmegaConf.load(run / run_folder.CONFIG)
    assert isinstance(config, DictConfig)
    data = build_data(config.data)
    data.setup()
    path = run / "checkpoints" / "best.ckpt"
    card = read_card(read_checkpoint(path))
    found = {}
    for part, triplets in triplets_of(data).items():
        numbers, place = np.unique(triplets, return_inverse=True)
        rows = embed(str(path), card, data, numbers, BATCH, torch.device("cpu"))
        found[part] = rates(rows[0], place.reshape(-1, 3), config.metrics.threshold)
    return found


def main(runs: Sequence[Path]) -> None:
    """Tells and keeps the rates of each run."""
    for run in runs:
        found = told(run)
        run_folder.write_atomically(run / "origin.json", json.dumps(found, indent=1) + "\n")
        for part, figures in found.items():
            shown = (
                f"TAR {figures['tar']:.4f}, FAR {figures['far']:.4f} over {figures['triplets']:,} triplets"
            )
            print(f"{run}: {part}: {shown}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        main([Path(name) for name in sys.argv[1:]])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
