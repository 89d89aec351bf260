"""Values between configs, plain Python and Hydra's command line."""

from __future__ import annotations

import re
from typing import Any

from omegaconf import OmegaConf


def plain(config: Any) -> dict[str, Any]:
    """A resolved config as plain values."""
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else {}


def override_value(value: object) -> str:
    """A plain value as Hydra's command line reads it."""
    if isinstance(value, str):
        # Hydra reads a backslash as an escape only before a quote, the closing one too.
        escaped = re.sub(r"(\\*)('|\Z)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
        return f"'{escaped}'"
    if isinstance(value, list):
        return f"[{','.join(map(override_value, value))}]"
    return "null" if value is None else str(value).lower()
