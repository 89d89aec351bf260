"""``python -m facenet_lit.prepare``: packs pictures once, and checks packs."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from omegaconf import DictConfig

from facenet_lit.building import build_source
from facenet_lit.command_line import start
from facenet_lit.errors import UserError, check_choice, check_flag, check_integer, shown
from facenet_lit.sources.pack_source import PackSource
from facenet_lit.sources.packed import Pack, cache_folder, pack
from facenet_lit.sources.source import Source

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
    source = build_source(config.data)
    cache = cache_folder(config.data.cache)
    if cache is None:
        raise UserError(f"data.cache={config.data.cache}: expected a folder to pack into; say data.cache=DIR")
    began = time.perf_counter()
    data = config.data
    made = pack(
        source,
        data.crop,
        data.size,
        cache,
        data.on_bad_image,
        quality=quality if form == "jpeg" else None,
    )
    if verify:
        check_images(source, made)
    tell(made, time.perf_counter() - began)


def check_images(source: Source, made: Pack) -> None:
    """Reads every image of a pack, and of the one that it was made of.

    Raises:
        UserError: some are not what they were when they were packed.
    """
    packs = [source.pack, made] if isinstance(source, PackSource) else [made]
    for each in {one.folder: one for one in packs}.values():
        damaged = each.damaged().tolist()
        if damaged:
            named = ", ".join(shown(each.files[number]) for number in damaged[:_NAMED])
            more = f" and {len(damaged) - _NAMED} more" if len(damaged) > _NAMED else ""
            raise UserError(
                f"{each.folder}: {len(damaged)} of {len(each.files)} images differ from their checksums: "
                f"{named}{more}; delete that folder and prepare or copy it again"
            )
        log.info("verified    %s: every image is what its checksum says", each.folder)


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


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


if __name__ == "__main__":
    main()
