"""``python -m facenet_lit.prepare``: packs pictures once, and checks packs."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from omegaconf import DictConfig

from facenet_lit.building import build_source
from facenet_lit.command_line import start
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer, shown
from facenet_lit.sources.lfw import LFWSource
from facenet_lit.sources.pack_source import PackSource
from facenet_lit.sources.packed import Pack, cache_folder, pack

log = logging.getLogger(__name__)

FORMS = ("raw", "jpeg")

_NAMED = 5  # so many damaged images are named in a line


def main() -> None:
    """The entry point."""
    start("prepare", prepare)


def prepare(config: DictConfig) -> None:
    """Packs a source, or finds that it is packed, and tells where the pack lies."""
    form = check_choice("form", config.form, FORMS)
    quality = check_integer("quality", config.quality, 1, 100)
    verify = check_flag("verify", config.verify)
    began, data, source = time.perf_counter(), config.data, build_source(config.data)
    if verify and isinstance(source, PackSource):
        check_images(source.pack)
        if form == "raw" and data.size == source.cut.size:  # nothing else was asked for
            return tell(source.pack, time.perf_counter() - began)
    cache = cache_folder(config.data.cache)
    if cache is None:
        raise UserError(f"data.cache={config.data.cache}: expected a folder to pack into; say data.cache=DIR")
    wanted = quality if form == "jpeg" else None
    try:
        made = pack(source, data.crop, data.size, cache, data.on_bad_image, quality=wanted)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command goes on from there") from None
    if verify:
        check_images(made)
    tell(made, time.perf_counter() - began)


def check_images(made: Pack) -> None:
    """Reads every image of a pack.

    Raises:
        UserError: some are not what they were when they were packed.
    """
    damaged = made.damaged().tolist()
    if damaged:
        named = ", ".join(shown(made.files[number]) for number in damaged[:_NAMED])
        more = f" and {len(damaged) - _NAMED} more" if len(damaged) > _NAMED else ""
        raise UserError(
            f"{made.folder}: {len(damaged)} of {len(made.files)} images differ from their checksums: "
            f"{named}{more}; delete that folder and prepare or copy it again"
        )
    log.info("verified    %s: every image is what its checksum says", made.folder)


def tell(made: Pack, seconds: float) -> None:
    """Says where a pack lies and what it holds."""
    assert made.folder is not None
    quality, images = made.settings["quality"], len(made.files)
    form = "raw" if quality is None else f"jpeg of quality {quality}"
    size = _bytes(made.folder)
    log.info("pack        %s (%s, %d px)", made.folder, form, made.settings["size"])
    log.info("images      %s", f"{images:,}")
    log.info("identities  %s", f"{len(made.names):,}")
    log.info("bytes       %s", f"{size:,}: {size / images:,.0f} an image")
    log.info("seconds     %.1f", seconds)
    log.info("to use it   python -m facenet_lit.train data=packed data.root=%s", made.folder)
    if made.settings["source"] == LFWSource.name:
        log.info("splits      data=packed has no data.split=view1 or view2: LFW's own lists want data=lfw")


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


if __name__ == "__main__":
    main()
