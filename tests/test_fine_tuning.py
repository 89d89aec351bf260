from functools import partial
from pathlib import Path

import pytest
import torch

from facenet_lit.checkpoint import ModelCard
from facenet_lit.data.audit import LeakError, identity_fingerprints
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.samplers import TripletSampler
from facenet_lit.fine_tuning import refuse_people, refuse_pictures, start_from
from facenet_lit.sources.synthetic import SyntheticFaces
from facenet_lit.weights import Weights

NOBODY = torch.empty(0, 32, dtype=torch.uint8)


def data_of(**settings: object) -> FaceDataModule:
    sampler = partial(TripletSampler, seed=0)
    return FaceDataModule(SyntheticFaces(30, 3), sampler, batch_size=12, **settings)


def weights_of(people: torch.Tensor = NOBODY, pictures: torch.Tensor = NOBODY) -> Weights:
    return Weights(Path("w.pt"), {}, people, pictures)


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_people_and_pictures_of_val_and_test_are_a_leak(part: str, caplog: pytest.LogCaptureFixture) -> None:
    data, allowed = data_of(), data_of(allow_leak=True)
    data.setup(), allowed.setup()
    numbers = data.parts[part]
    names = [data.source.names[i] for i in sorted(set(data.source.identities[numbers].tolist()))]
    people = weights_of(people=torch.from_numpy(identity_fingerprints(names[:2]).copy()))
    pictures = weights_of(pictures=torch.from_numpy(data.faces.fingerprints[numbers[:4]]))
    refuse_people(people, allowed)
    refuse_pictures(pictures, allowed)
    if part == "train":
        refuse_people(people, data)
        refuse_pictures(pictures, data)
        assert "leak" not in caplog.text
        return
    with pytest.raises(
        LeakError, match=r"trained on 2 of 6 identities, .*model\.weights.*data\.allow_leak=true"
    ):
        refuse_people(people, data)
    with pytest.raises(LeakError, match="trained on 4 of 18 pictures"):
        refuse_pictures(pictures, data)
    assert caplog.text.count("leak, allowed") == 2


def test_the_card_takes_over_who_the_weights_know() -> None:
    one, two, three = torch.arange(96, dtype=torch.uint8).reshape(3, 1, 32)
    arguments = {
        "depths": [1],
        "cardinality": 2,
        "group_width": 4,
        "width": 8,
        "expansion": 2,
        "stem": "small",
    }
    card = ModelCard("resnext", arguments, 16, [0.5] * 3, [0.5] * 3)
    card.trained_identities, card.trained_pictures = torch.cat([one, two]), three
    embedder, other = card.build(), card.build()
    tensors = {name: weight for name, weight in other.state_dict().items() if name not in ("mean", "std")}
    start_from(Weights(Path("w.pt"), tensors, torch.cat([two, three]), one), embedder, card)
    assert torch.equal(embedder.backbone.stem[0].weight, other.backbone.stem[0].weight)
    assert torch.equal(card.trained_identities, torch.cat([one, two, three]))
    assert torch.equal(card.trained_pictures, torch.cat([one, three]))
