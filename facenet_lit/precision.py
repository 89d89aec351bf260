"""Which arithmetic a run trains in, float32 or bfloat16, whichever is faster here; and the memory format."""

from __future__ import annotations

import copy
import logging
import time

import torch
from torch import Tensor, nn

from facenet_lit.errors import check_choice

log = logging.getLogger(__name__)

# Name in the config and in checkpoints -> what Lightning calls it.
PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "64": "64-true"}
PROBED = ("32", "bf16")

PROBE_SECONDS = 1.0
LEAST_ROUNDS = 3
# A processor without bfloat16 takes ten times as long in it: on the CPU the probe has a small batch, and ends early.
MOST_IMAGES = 32
HOPELESS = 4.0

# bfloat16 costs digits, so it has to save time worth having.
LEAST_GAIN = 1.1


def choose_precision(wanted: object, network: nn.Module, images: Tensor, device: torch.device) -> str:
    """The arithmetic to train in.

    Args:
        wanted: ``trainer.precision``: ``auto`` probes for about a second, ``32``, ``bf16`` and ``64`` say it.
        network: what will be trained; it is left as it is.
        images: (N, 3, H, W) a batch as the network gets it.
        device: where it will be trained.

    Returns:
        ``32``, ``bf16`` or ``64``.

    Raises:
        UserError: ``wanted`` is none of these.
    """
    choice = check_choice("trainer.precision", str(wanted), ("auto", *PRECISIONS))
    if choice != "auto":
        return choice
    seconds = probe(network, images, device)
    gain = seconds["32"] / seconds["bf16"]
    chosen = "bf16" if gain >= LEAST_GAIN else "32"
    log.info(
        "precision    %s: a forward and backward pass of the probe takes %.0f ms in float32, %.0f ms in bfloat16 (%s)",
        *(chosen, 1000 * seconds["32"], 1000 * seconds["bf16"]),
        "CPU time of this process" if device.type == "cpu" else "time",
    )
    return chosen


def probe(network: nn.Module, images: Tensor, device: torch.device) -> dict[str, float]:
    """Seconds of a forward and backward pass in each arithmetic, the least of the repetitions.

    Where bfloat16 takes many times as long from the first pass on, that is all there is of it.

    On the CPU those of this process alone: on a machine that is shared the clock on the wall tells as much
    about the others.

    Args:
        network: what is timed, on a copy.
        images: (N, 3, H, W) a batch.
        device: where.
    """
    state = torch.random.get_rng_state()
    copies = {name: lay_out(copy.deepcopy(network).to(device)).train() for name in PROBED}
    images = (images[:MOST_IMAGES] if device.type == "cpu" else images).to(device)
    end = time.perf_counter() + PROBE_SECONDS
    # The first pass allocates and compiles, so it does not count; they take turns, so that a load on the
    # machine meets both.
    first = {name: _seconds_of_a_pass(copies[name], images, device, name) for name in PROBED}
    rounds: list[dict[str, float]] = []
    hopeless = first["bf16"] > HOPELESS * first["32"]
    while not hopeless and (len(rounds) < LEAST_ROUNDS or time.perf_counter() < end):
        rounds.append({name: _seconds_of_a_pass(copies[name], images, device, name) for name in PROBED})
    torch.random.set_rng_state(state)
    return {name: min(told[name] for told in rounds or [first]) for name in PROBED}


def lay_out(network: nn.Module) -> nn.Module:
    """Puts the parameters channels last, which is the faster layout in either arithmetic; in place.

    nn.Module.to is typed as if it always made a copy; it does not.
    """
    laid_out: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return laid_out


def in_full(values: Tensor) -> Tensor:
    """In float32 or finer: where a half's or bfloat16's few digits would not do."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _seconds_of_a_pass(module: nn.Module, images: Tensor, device: torch.device, precision: str) -> float:
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    start = clock()
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        output = module(images)
    output.float().square().sum().backward()
    module.zero_grad(set_to_none=True)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - start
