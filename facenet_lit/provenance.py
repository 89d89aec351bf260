"""What a run's figures came from: code, config, machine, and what was spent. Each run leaves it as run.json."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from facenet_lit.run_folder import compared

# What decides a run's figures.
_CODE = ("facenet_lit", "conf", "experiments/study", "experiments/cell", "pyproject.toml")


def origin_of(config: Mapping[str, Any]) -> dict[str, object]:
    """Commit, hash of the config, seed, and machine.

    Args:
        config: resolved, as plain values.
    """
    return {"commit": commit(), "config": config_hash(config), "seed": config["seed"], **machine()}


def commit(checkout: Path | None = None) -> str | None:
    """The commit that the code is of, "+changes" behind it where files differ; None where it is no checkout.

    Args:
        checkout: a folder with a .git; None for that of this package.
    """
    checkout = Path(__file__).resolve().parents[1] if checkout is None else checkout
    if not (checkout / ".git").exists():  # an installed package, perhaps inside somebody else's repository
        return None
    head = _git(checkout, "rev-parse", "HEAD")
    changed = head and _git(checkout, "status", "--porcelain", "--", *_CODE)
    return f"{head}+changes" if changed else head


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 of a resolved config, less what says how the run is started, not what it is: 16 hex digits.

    Args:
        config: plain values.
    """
    text = json.dumps(compared(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def machine() -> dict[str, object]:
    """Processor, cores, threads that torch computes with, GPU, and the versions of Python and torch."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def _processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name, its architecture where the system doesn't tell."""
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(checkout: Path, *arguments: str) -> str | None:
    try:
        ended = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return ended.stdout.strip()
