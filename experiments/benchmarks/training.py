"""Images per second of whole training, loader included: ours, Lightning's defaults, and a plain loop, on a GPU.

    python experiments/benchmarks/training.py OUT [accelerator=gpu] [steps=60] [rows=512] [images=20000] [workers=8]

For resnext (ResNeXt-50, 32x4d) and inception_resnet_v1, at 112 and 160 px, on drawn faces that are packed first. Ours
is facenet_lit.train with the default arithmetic, augmentation on the device. Lightning's defaults are its Trainer on
the same network, pictures one by one by so many workers, flipped and normalised by torchvision, float32. The plain
loop has one batch on the device, in our arithmetic and layout: no loader, and so the bound. Each part is written to
OUT/training.json when it is done; the same command goes on with the rest. The share of the loop's speed is that of
the time in which the device computes; utilisation is of the speed of a product of two matrices of 8,192 in the same
arithmetic.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder benchmarks is there

from benchmarks.training_ways import EACH, NETWORKS, Setting, clock, embedder, lightning, loop, ours

from facenet_lit.provenance import commit, machine
from facenet_lit.run_folder import write_atomically
from facenet_lit.sources.pack_files import ABOUT

SIDES = (112, 160)
PRODUCT = 8192


def flops_of_an_image(name: str, side: int) -> int:
    """Operations of a forward and a backward pass, a multiplication and an addition counted as two."""
    network = embedder(name)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(2, 3, side, side, dtype=torch.uint8)).sum().backward()
    return int(counter.get_total_flops()) // 2


def product_speed(setting: Setting, size: int = PRODUCT) -> float:
    """Operations per second of a product of two square matrices in our arithmetic, the best of five."""
    kind = torch.bfloat16 if setting.accelerator == "gpu" else torch.float32
    factor = torch.randn(size, size, device=setting.device).to(kind)
    seconds = []
    for _ in range(6):
        start = clock(setting.device)
        factor @ factor
        seconds.append(clock(setting.device) - start)
    return 2 * size**3 / min(seconds[1:])


def write_pack(out: Path, side: int, images: int) -> Path:
    """A pack of drawn faces, made once."""
    target = out / f"packs{side}"
    command = [
        sys.executable, "-m", "facenet_lit.prepare", "data=synthetic", f"data.size={side}",
        f"data.identities={images // EACH}", f"data.images={EACH}", f"data.cache={target}",
    ]  # fmt: skip
    if not list(target.glob(f"*/{ABOUT}")):
        subprocess.run(command, check=True)
    return next(target.glob(f"*/{ABOUT}")).parent


def parts(out: Path, setting: Setting) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
    """Every part by its name, and what measures it."""
    yield "product", lambda: {"flops_per_second": product_speed(setting)}
    for side, name in itertools.product(SIDES, NETWORKS):
        ways: dict[str, Callable[[Path], float]] = {
            "loop": partial(loop, name, setting),
            "lightning": partial(lightning, name, setting),
            "ours": partial(ours, name, setting, out / f"run-{name}-{side}"),
        }
        yield f"{name} {side} flops", lambda n=name, s=side: {"per_image": flops_of_an_image(n, s)}
        for way, measure in ways.items():
            yield (
                f"{name} {side} {way}",
                lambda m=measure, s=side: {"images_per_second": m(write_pack(out, s, setting.images))},
            )


def table(told: dict[str, dict[str, float]]) -> str:
    """A line for each network and size whose three ways are there."""
    ways = ("ours", "lightning", "loop", "flops")
    heads = ("network", "px", "ours, images/s", "Lightning's defaults", "plain loop, one batch", "ours / Lightning's",
             "ours / loop", "utilisation")  # fmt: skip
    lines = [heads, ["---"] * len(heads)]
    for side, name in itertools.product(SIDES, NETWORKS):
        found = [told.get(f"{name} {side} {way}") for way in ways]
        if None in found:
            continue
        ours, usual, bound, flops = (next(iter(part.values())) for part in found if part)
        used = ours * flops / told["product"]["flops_per_second"]
        speeds = [f"{speed:,.0f}" for speed in (ours, usual, bound)]
        lines.append([name, str(side), *speeds, f"{ours / usual:.2f}", f"{ours / bound:.2f}", f"{used:.0%}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(out: Path, setting: Setting) -> None:
    """Measures what is not there yet."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "training.json"
    told = json.loads(path.read_text()) if path.is_file() else {"machine": {**machine(), "commit": commit()}}
    for name, measure in parts(out, setting):
        if name not in told:
            told[name] = measure()
            write_atomically(path, json.dumps(told, indent=1) + "\n")
            print(name, told[name], flush=True)
    write_atomically(out / "training.md", table(told) + "\n")
    print(table(told))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    said = dict(text.split("=", 1) for text in sys.argv[2:])
    numbers = {name: value if name == "accelerator" else int(value) for name, value in said.items()}
    main(Path(sys.argv[1]), Setting(**numbers))
