"""What a logger shows beside scalars: pictures, texts, and a row of settings and final figures."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from facenet_lit.errors import UserError
from facenet_lit.preprocessing import Picture

ENDED_BY = "ended_by"  # the row's column of the illness by which embedding health ended the run


class Settings(NamedTuple):
    """What a row of a table of runs says of one.

    Attributes:
        values: by the name that is typed.
        chosen: the names that the user said, which are worth the first columns.
    """

    values: Mapping[str, str | float]
    chosen: frozenset[str] = frozenset()


class Dashboard(ABC):
    """A logger that takes pictures; of several processes only the first hands it any.

    Attributes:
        needs: the package it writes by, which is also the name of the extra; None where every install has it.
    """

    needs: str | None = None

    @classmethod
    def check(cls, **settings: object) -> None:
        """Imports what it writes by, and checks its settings; nothing is written.

        Args:
            settings: what the config says under ``logger``.

        Raises:
            UserError: it is not installed, or a setting is out of range.
        """
        if cls.needs is None:
            return
        try:
            importlib.import_module(cls.needs)
        except ImportError as error:
            how = f'pip install -e ".[{cls.needs}]"'
            raise UserError(
                f"logger={cls.needs}: {cls.needs} is not installed; {how}, or say logger=tensorboard"
            ) from error

    @abstractmethod
    def show_picture(self, name: str, picture: Picture, step: int) -> None:
        """Shows a picture.

        Args:
            name: such as ``val/roc``.
            picture: (H, W, 3) uint8 RGB.
            step: of the training.
        """

    @abstractmethod
    def show_text(self, name: str, text: str, step: int = 0) -> None:
        """Shows a text in Markdown, of a step of the training."""

    @abstractmethod
    def begin_row(self, settings: Settings, figures: Sequence[str]) -> None:
        """Begins the run's row in the table of runs.

        Args:
            settings: what the run was made with.
            figures: names of the scalars that the row tells of.
        """

    @abstractmethod
    def end_row(self, settings: Settings, ended_by: str | None = None) -> None:
        """The run has all the figures that it will have.

        Args:
            settings: those that the row began with, in this process or in one before.
            ended_by: the illness by which embedding health ended it.
        """


def dashboards(loggers: Iterable[object]) -> list[Dashboard]:
    """Those of a run's loggers that take pictures."""
    return [logger for logger in loggers if isinstance(logger, Dashboard)]
