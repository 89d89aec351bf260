"""Trains as one would without this package, for curves against seconds beside its own.

    pip install requests
    pip install --no-deps facenet-pytorch     # its own bounds on torch and numpy are old
    python experiments/plain_loop.py OUT data.root=lfw-deepfunneled.tgz [minutes=10] [every=60] [seed=0]

facenet-pytorch's InceptionResnetV1 from random weights, batches of 56 people x 4 pictures by pytorch-metric-learning's
sampler, its semi-hard miner and its triplet loss, Adam at 1e-3 throughout, pictures through torchvision's transforms,
torch's defaults for layout and arithmetic; on those training people of LFW's view 1 who have two pictures or more, cut
and sized as in the study lfw. Every so many seconds of training the weights are kept, and scored after it on all pairs
of the test people by our figures. OUT is a JSON file like a learning_curve.json. Settings of the loop are the ones
that these packages' examples have; ours were chosen on held-out people.
"""

from __future__ import annotations

import facenet_lit  # noqa: F401  # isort: skip  # before torchvision: it declares what that may lack

import copy
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from pytorch_metric_learning import losses, miners, samplers
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from facenet_lit.building import build_data
from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.errors import UserError
from facenet_lit.metrics.figures import figures
from facenet_lit.metrics.pair_scoring import score_all_pairs
from facenet_lit.provenance import commit, machine
from facenet_lit.run_folder import write_atomically

HERE = Path(__file__).resolve().parent
MARGIN, EACH, ROWS = 0.2, 4, 224
FARS = (0.354, 0.1, 0.01, 0.001)
THRESHOLD = 1.1

Weights = dict[str, Tensor]


class Pictures(Dataset[tuple[Tensor, int]]):
    """Pictures of a pack as one hands them out by the usual way: one by one, through transforms."""

    def __init__(self, data: FaceDataModule, part: str, train: bool) -> None:
        self.pack = data.faces
        self.numbers = data.parts[part]
        self.labels = self.pack.identities[self.numbers]
        if train:  # the sampler would fill the rows of others with the same picture
            several = np.isin(self.labels, np.flatnonzero(np.bincount(self.labels) > 1))
            self.numbers, self.labels = self.numbers[several], self.labels[several]
        flips = [transforms.RandomHorizontalFlip()] if train else []
        # The package's fixed_image_standardization: (x - 127.5) / 128.
        self.transform = transforms.Compose(
            [transforms.ToPILImage(), *flips, transforms.PILToTensor(), lambda x: (x.float() - 127.5) / 128]
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        picture = np.array(self.pack.record(int(self.numbers[place])))
        return self.transform(picture), int(self.labels[place])


def trained(
    network: nn.Module, pictures: Pictures, seconds: float, every: float
) -> Iterator[tuple[float, int, Weights]]:
    """Seconds of training, steps, and the weights then, about every so many seconds."""
    sampler = samplers.MPerClassSampler(pictures.labels, EACH, ROWS, length_before_new_iter=len(pictures))
    loader = DataLoader(pictures, ROWS, sampler=sampler, drop_last=True)
    miner = miners.TripletMarginMiner(margin=MARGIN, type_of_triplets="semihard")
    loss = losses.TripletMarginLoss(margin=MARGIN)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    spent, steps, due = 0.0, 0, every
    network.train()
    while True:
        start = time.perf_counter()
        for images, labels in loader:
            embeddings = network(images)
            value = loss(embeddings, labels, miner(embeddings, labels))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            spent, steps, start = spent + time.perf_counter() - start, steps + 1, time.perf_counter()
            if spent >= min(due, seconds):
                print(f"{spent:7.1f} s  step {steps:5}  loss {value.item():.4f}", flush=True)
                yield spent, steps, copy.deepcopy(network.state_dict())
                due, start = due + every, time.perf_counter()
            if spent >= seconds:
                return


@torch.inference_mode()
def scored(network: nn.Module, pictures: Pictures) -> dict[str, float | None]:
    """Figures of all pairs of a part."""
    network.eval()
    parts = [network(images) for images, _ in DataLoader(pictures, 256)]
    people, numbers = torch.from_numpy(pictures.labels), torch.from_numpy(pictures.numbers)
    return figures(score_all_pairs(torch.cat(parts), people, numbers), THRESHOLD, list(FARS))


def main(out: Path, overrides: Sequence[str], minutes: float, every: float, seed: int) -> None:
    """Trains, then scores what was kept, and writes it."""
    from facenet_pytorch import InceptionResnetV1

    composer = Composer(config_dir(), "train", [f"hydra.searchpath=[file://{HERE}]"])
    data = build_data(composer.compose(["+study=lfw", *overrides]).data)
    data.setup()
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what the sampler draws by
    network = InceptionResnetV1(pretrained=None, classify=False)
    parameters = sum(weight.numel() for weight in network.parameters())
    told = {"commit": commit(), "seed": seed, "size": data.size, "parameters": parameters, "every": every}
    about = {**told, **machine()}
    curve = []
    test = Pictures(data, "test", train=False)
    # Scored when all is trained: then nothing of it takes turns with training.
    for seconds, steps, weights in list(
        trained(network, Pictures(data, "train", train=True), 60 * minutes, every)
    ):
        network.load_state_dict(weights)
        curve.append({"seconds": round(seconds, 2), "step": steps, **scored(network, test)})
        print(f"{seconds:7.1f} s  eer_balanced {curve[-1]['eer_balanced']:.4f}", flush=True)
    write_atomically(out, json.dumps({**about, "part": "test", "curve": curve}, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    own = {"minutes": "10", "every": "60", "seed": "0"}
    said = dict(text.split("=", 1) for text in sys.argv[2:])
    own |= {name: said.pop(name) for name in own if name in said}
    try:
        main(
            Path(sys.argv[1]),
            [f"{name}={value}" for name, value in said.items()],
            float(own["minutes"]),
            float(own["every"]),
            int(own["seed"]),
        )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
