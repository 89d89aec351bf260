import hashlib
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from tiny_lfw import FOLDS, write_archive, write_lfw
from web_server import Server, ranged

from facenet_lit.building import build_card, build_data
from facenet_lit.config_dir import config_dir
from facenet_lit.data.samplers import IdentitySampler, TripletSampler
from facenet_lit.errors import UserError


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def test_settings_reach_the_data() -> None:
    config = composed(
        "data.identities=25", "data.images=3", "data.seed=4", "data.split_seed=2", "data.batch_size=30",
        "data.normalize=dataset", "sampler.removal=anchor", "sampler.negatives=image", "seed=9",
    )  # fmt: skip
    data = build_data(config.data, config)
    assert data.source.names[0] == "synthetic/4/0"
    assert (data.split_seed, data.batch_size, data.normalize, data.seed) == (2, 30, "dataset", 9)
    sampler = data.sampler(np.array([0, 0, 1, 1]), np.arange(4), 30)
    assert isinstance(sampler, TripletSampler)
    assert (sampler.removal, sampler.negatives, sampler.seed) == ("anchor", "image", 9)


@pytest.mark.parametrize("normalize", ["half", "image"])
def test_the_card_says_how_the_embedder_is_built(normalize: str) -> None:
    overrides = [
        "data.identities=30", "data.images=2", "data.cache=null", f"data.normalize={normalize}",
        "model.head=linear", "model.dropout=0.3", "model.mirror=true", "model.embedding_size=16",
    ]  # fmt: skip
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        config = compose("train", overrides=overrides)
    data = build_data(config.data, config)
    data.setup()
    embedder = build_card(config, "synthetic", data).build()
    assert embedder.per_image == (normalize == "image")
    assert (embedder.dropout.p, embedder.mirror, len(embedder.head)) == (0.3, True, 1)
    assert embedder.head[0].out_features == 16


def test_p_k_and_s_have_short_names() -> None:
    config = composed(
        "sampler=pk", "sampler.identities=2", "sampler.images=3", "sampler.singles=1", "data.batch_size=7"
    )
    data = build_data(config.data, config)
    sampler = data.sampler(np.array([0, 0, 1, 1, 2]), np.arange(5), 7)
    assert isinstance(sampler, IdentitySampler)
    assert (sampler.identities_per_batch, sampler.images_per_identity, sampler.singles) == (2, 3, 1)


def test_an_evaluation_has_no_sampler_and_no_augmentation() -> None:
    data = build_data(composed().data)
    assert data.sampler is None
    assert data.augmentation is None


def test_a_misspelt_setting_of_the_sampler() -> None:
    for sampler in ("triplets", "pk"):
        config = composed(f"sampler={sampler}", "+sampler.typo=1")
        with pytest.raises(UserError, match=r"^sampler\.typo: no such setting"):
            build_data(config.data, config)


def test_downloads_are_wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.chdir(tmp_path)
    archive = write_archive(write_lfw(tmp_path / "there", decodable=False), tmp_path / "faces.tgz")
    digits = hashlib.sha256(archive.read_bytes()).hexdigest()
    url = server.url("/faces", ranged(archive.read_bytes()))
    mirrors = f"data.source.mirrors=[{{file:lfw.tgz,url:'{url}',sha256:'{digits}'}}]"
    lfw = ["data=lfw", "data.download=true", "data.split=random", mirrors]
    data = build_data(composed(*lfw).data)
    assert server.requests == []
    assert {part: len(numbers) for part, numbers in data.listed.parts.items()} == {
        "train": 48, "val": 6, "test": 6,
    }  # fmt: skip
    assert data.source.root == Path("runs/downloads/lfw.tgz")
    assert data.source.root.read_bytes() == archive.read_bytes()


def test_a_fold_of_view_2_is_wired(tmp_path: Path) -> None:
    root = write_lfw(tmp_path, decodable=False)
    data = build_data(composed("data=lfw", f"data.root={root}", "data.split=view2", "data.fold=4").data)
    people = {data.source.names[i] for i in data.source.identities[data.listed.parts["test"]]}
    assert people == set(FOLDS[3])


def test_there_has_to_be_a_source() -> None:
    with pytest.raises(UserError, match=r"^data: no source of pictures"):
        build_data(None)
