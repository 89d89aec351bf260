"""Patience: an illness is told of once it has shown for a while, and again only when it comes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from facenet_lit.health.illnesses import ILLNESSES

GONE_AFTER = 5  # looks in a row without it


class Watch:
    """Counts the looks in a row that show an illness, and those that do not."""

    def __init__(self) -> None:
        self._ill: dict[str, int] = {}
        self._well: dict[str, int] = {}
        self._told: set[str] = set()

    def note(self, shown: str | None, among: Iterable[str]) -> str | None:
        """Takes a look in.

        Args:
            shown: the illness that it shows, or None.
            among: those that it could have shown, the gravest first. What is less grave than the one it shows, it
                hides: of that it tells neither way.

        Returns:
            The illness, where it is time to tell of it.
        """
        names = list(among)
        for name in names if shown is None else names[: names.index(shown) + 1]:
            self._ill[name] = self._ill.get(name, 0) + 1 if name == shown else 0
            self._well[name] = 0 if name == shown else self._well.get(name, 0) + 1
            if self._well[name] >= GONE_AFTER:
                self._told.discard(name)
        if shown is None or shown in self._told or self._ill[shown] < ILLNESSES[shown].looks:
            return None
        self._told.add(shown)
        return shown

    def state(self) -> dict[str, Any]:
        """What it knows, as plain values."""
        return {"ill": dict(self._ill), "well": dict(self._well), "told": sorted(self._told)}

    def take(self, state: dict[str, Any]) -> None:
        """Takes over what another knew."""
        self._ill, self._well, self._told = dict(state["ill"]), dict(state["well"]), set(state["told"])
