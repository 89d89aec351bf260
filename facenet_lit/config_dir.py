"""Where conf/ is: in a wheel inside the package, in a checkout or an editable install beside it."""

from __future__ import annotations

from pathlib import Path

from facenet_lit.errors import UserError


def config_dir(package: Path | None = None) -> Path:
    """Absolute path of the config folder.

    Args:
        package: folder of the package; None for this one.

    Raises:
        UserError: neither place holds a train.yaml.
    """
    package = Path(__file__).resolve().parent if package is None else package
    for place in (package / "conf", package.parent / "conf"):
        if (place / "train.yaml").is_file():
            return place
    raise UserError(f"conf/train.yaml: not found in {package} nor beside it; install facenet_lit again")
