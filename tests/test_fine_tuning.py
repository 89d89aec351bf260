from functools import partial

import pytest
import torch

from facenet_lit.checkpoint import ModelCard
from facenet_lit.data.audit import LeakError, identity_fingerprints
from facenet_lit.data.datamodule import FaceDataModule
from facenet_lit.data.samplers import TripletSampler
from facenet_lit.fine_tuning import refuse_people, refuse_pictures, take_over
from facenet_lit.sources.synthetic import SyntheticFaces

NOBODY = torch.empty(0, 32, dtype=torch.uint8)


def data_of(**settings: object) -> FaceDataModule:
    sampler = partial(TripletSampler, seed=0)
    return FaceDataModule(SyntheticFaces(30, 3), sampler, batch_size=12, **settings)


def card_of(people: torch.Tensor = NOBODY, pictures: torch.Tensor = NOBODY, mean: float = 0.5) -> ModelCard:
    card = ModelCard("resnext", {}, 16, [mean] * 3, [0.5] * 3)
    card.trained_identities, card.trained_pictures = people, pictures
    return card


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_people_and_pictures_of_val_and_test_are_a_leak(part: str, caplog: pytest.LogCaptureFixture) -> None:
    data, allowed = data_of(), data_of(allow_leak=True)
    data.setup(), allowed.setup()
    numbers = data.parts[part]
    names = [data.source.names[i] for i in sorted(set(data.source.identities[numbers].tolist()))]
    people = card_of(people=torch.from_numpy(identity_fingerprints(names[:2]).copy()))
    pictures = card_of(pictures=torch.from_numpy(data.faces.fingerprints[numbers[:4]]))
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


def test_the_card_takes_over_who_another_knows() -> None:
    one, two, three = torch.arange(96, dtype=torch.uint8).reshape(3, 1, 32)
    card = card_of(torch.cat([one, two]), three)
    take_over(card_of(torch.cat([two, three]), one, mean=0.25), card)
    assert torch.equal(card.trained_identities, torch.cat([one, two, three]))
    assert torch.equal(card.trained_pictures, torch.cat([one, three]))
    assert card.mean == [0.25] * 3
