"""What can be told of a run's folder before anything is written there."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facenet_lit.errors import UserError
from facenet_lit.run_folder import checkpoint_to_resume, locked


def refuse_taken(folder: Path, config: Mapping[str, Any], resume: bool) -> None:
    """Refuses a folder that holds another run: Hydra would write its overrides over that run's.

    Args:
        folder: the run's folder.
        config: the resolved config, as plain values.
        resume: whether ``resume=auto`` was said.

    Raises:
        FolderInUse: another process trains there.
        UserError: it holds another run, or this one and ``resume=auto`` was not said.
    """
    if folder.is_dir():
        with locked(folder):
            checkpoint_to_resume(folder, config, resume)


def refuse_unwritable(folder: Path) -> None:
    """Refuses a folder that can't be made or written in, by a try in the nearest one that is there.

    Raises:
        UserError: it is such a one.
    """
    try:
        whole = folder.absolute()
        nearest = next(place for place in (whole, *whole.parents) if place.exists())
        tempfile.TemporaryDirectory(prefix=".facenet_lit-", dir=nearest).cleanup()
    except OSError as error:
        raise UserError(f"{folder}: can't be written in ({error.strerror}); name another folder") from error
