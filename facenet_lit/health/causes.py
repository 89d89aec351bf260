"""What an illness may come of, in the order to check it, and the settings that mend it."""

from __future__ import annotations

from typing import NamedTuple


class Circumstances(NamedTuple):
    """What of a run decides which causes are likely.

    Attributes:
        learning_rate: its highest, before the schedule.
        normed_head: BatchNorm stands behind the head.
        normed_backbone: every convolution of the backbone has a norm behind it, or nearly.
        miner: its name, None where the loss needs no triplets.
        squared: the loss is of squared distances.
        precision: ``32``, ``bf16`` or ``64``.
        weight_decay: of the optimiser.
        clipped: the gradient's norm is limited.
        centred: something is taken from pixels of [0, 1] that brings them around 0.
    """

    learning_rate: float
    normed_head: bool
    normed_backbone: bool
    miner: str | None
    squared: bool = False
    precision: str = "32"
    weight_decay: float = 0.0
    clipped: bool = False
    centred: bool = True


def causes(illness: str, run: Circumstances) -> list[str]:
    """The likely causes of an illness in a run, each with what mends it, in the order to check them.

    Args:
        illness: its name.
        run: what it trains with; causes that it can't have are left out.
    """
    found = {
        "nan": _nan,
        "inputs": _inputs,
        "collapse": _collapse,
        "exploding": _exploding,
        "partial_collapse": _partial_collapse,
        "saturation": _saturation,
        "gap": _gap,
    }[illness](run)
    return [cause for applies, cause in found if applies]


_Causes = list[tuple[bool, str]]


LOW_RATE = 1e-4  # up to which a learning rate is hardly too high


def _rate(run: Circumstances) -> tuple[bool, str]:
    rate = f"optimizer.lr={run.learning_rate / 10:g} (now {run.learning_rate:g}), scheduler.warmup=0.1"
    return run.learning_rate > LOW_RATE, f"the learning rate is too high: {rate}"


def _collapse(run: Circumstances) -> _Causes:
    return [
        _rate(run),
        (not run.normed_head, "nothing behind the head keeps embeddings apart: model.head=batchnorm"),
        (not run.normed_backbone, "no BatchNorm or skips in the network: model=inception or model=resnext"),
        (run.miner == "hard", "the hardest triplets from the first step on: miner=semi_hard"),
        (run.squared, "squares of small distances hardly have a gradient: loss.squared=false"),
        (run.weight_decay > 0, f"weights decay to nothing: optimizer.weight_decay={run.weight_decay / 10:g}"),
        (True, "pictures and identities do not belong together: data.root, data.list"),
    ]


def _partial_collapse(run: Circumstances) -> _Causes:
    return [
        _rate(run),
        (not run.normed_head, "nothing keeps dimensions apart: model.head=batchnorm"),
        (not run.normed_backbone, "no BatchNorm or skips in the network: model=inception or model=resnext"),
        (run.miner in ("given", "masked"), "few negatives of each anchor: miner=semi_hard, sampler=pk"),
        (
            True,
            "few identities in a batch, which few dimensions tell apart: data.batch_size, sampler.identities",
        ),
        (run.weight_decay > 0, f"weight decay: optimizer.weight_decay={run.weight_decay / 10:g}"),
    ]


def _saturation(run: Circumstances) -> _Causes:
    return [
        (run.miner == "masked", "the miner leaves out what is wrong: miner=semi_hard"),
        (run.miner == "given", "drawn triplets have become easy: miner=semi_hard or miner=hard"),
        (run.miner == "semi_hard", "semi-hard triplets have become easy: miner=hard"),
        (True, "the margin is small: a larger loss.margin"),
        (True, "few negatives in a batch: a larger data.batch_size, sampler=pk"),
        (True, "the training pictures are known by heart: augmentation=strong, more identities"),
    ]


def _gap(run: Circumstances) -> _Causes:
    return [
        (True, "the training pictures are known by heart: augmentation=strong, model.dropout=0.4"),
        (True, f"weights are free to grow: optimizer.weight_decay (now {run.weight_decay:g}), up to 0.5"),
        (True, "the network is large for so few identities: more of them, or a smaller model.arguments"),
        (True, "the run is long for so few pictures: patience=5, a smaller trainer.minutes or trainer.steps"),
        (True, "val shows other pictures than training: another crop, size or source; data.crop, data.split"),
    ]


def _exploding(run: Circumstances) -> _Causes:
    return [
        _rate(run),
        (not run.clipped, "single steps are too large: trainer.gradient_clip=1"),
        (run.miner is None, "the softmax is too sharp: a smaller loss.scale or loss.margin"),
        (not run.normed_backbone, "no BatchNorm or skips in the network: model=inception or model=resnext"),
        (run.precision == "bf16", "bfloat16 has few digits: trainer.precision=32"),
        (True, "some pictures show nobody, or somebody else: data.root, data.list, data.crop"),
    ]


def _nan(run: Circumstances) -> _Causes:
    return [
        _rate(run),
        (not run.clipped, "single steps are too large: trainer.gradient_clip=1"),
        (run.precision == "bf16", "bfloat16 has few digits: trainer.precision=32"),
        (True, "the weights it started from are damaged, if any: model.weights=null"),
        (True, "a loss or network of your own divides by 0, or takes the root of 0"),
    ]


def _inputs(run: Circumstances) -> _Causes:
    slow = "" if run.normed_backbone else ", which a network without BatchNorm feels most"
    return [
        (not run.centred, f"pixels are not brought around 0{slow}: data.normalize=half"),
        (True, "the pictures are very dark, bright or even: data.normalize=dataset or data.normalize=image"),
        (True, "a source of your own gives other values than uint8 RGB from 0 to 255"),
    ]
