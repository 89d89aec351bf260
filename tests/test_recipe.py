from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from facenet_lit.composing import Composer
from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.loggers.tensorboard_logger import RunLogger
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import GivenMiner, SemiHardMiner
from facenet_lit.recipe import _triplet_loss, build_recipe, read_fars
from facenet_lit.sources.packed import pack
from facenet_lit.sources.synthetic import SyntheticFaces
from facenet_lit.start_checks import refuse_nonsense


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def test_miner_and_loss_are_of_the_config() -> None:
    recipe = build_recipe(composed("miner=given", "loss.margin=0.4", "loss.squared=true"))
    assert isinstance(recipe.miner, GivenMiner)
    assert recipe.loss.margin == 0.4
    assert recipe.loss.squared is True
    assert isinstance(build_recipe(composed()).miner, SemiHardMiner)
    assert recipe.triplet_loss is recipe.loss
    assert set(recipe.metrics) == {"val", "test"}
    assert recipe.metrics["val"] is not recipe.metrics["test"]
    assert [type(callback).__name__ for callback in recipe.callbacks] == [
        "EmbeddingHealth",
        "VerificationPlots",
        "HardestErrors",
        "Projector",
    ]


OPTIONS = [
    f"{path.parent.name}={path.stem}"
    for path in sorted(config_dir().glob("*/*.yaml"))
    if path.parent.name not in ("shared", "hydra")
]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_makes_what_it_names(option: str, tmp_path: Path) -> None:
    root = tmp_path
    if option in ("logger=mlflow", "logger=wandb"):
        pytest.importorskip(option.split("=")[1])
    if option == "data=packed":
        pack(SyntheticFaces(2, 2), None, 64, tmp_path, progress=False)
        (root,) = tmp_path.glob("synthetic-*")
    more = [f"data.root={root}"] if option in ("data=folder", "data=lfw", "data=packed") else []
    config = composed(option, *more)
    assert build_recipe(config).metrics
    assert instantiate(config.data.source).name == config.data.name
    images = np.zeros((2, 64, 64, 3), np.uint8)
    assert instantiate(config.augmentation)(images, (0, 0, 0)).shape == images.shape
    assert 0 <= instantiate(config.scheduler)(0.5) <= 1


STUDIES = sorted((config_dir().parent / "experiments" / "study").glob("*.yaml"))


@pytest.mark.parametrize("study", [path.stem for path in STUDIES])
def test_every_study_composes_and_fits(study: str) -> None:
    folder = f"hydra.searchpath=[{config_dir().parent / 'experiments'}]"
    composer = Composer(config_dir(), "train")
    root = ["data.root=faces"] if study.startswith("lfw") else []
    config = composer.compose([folder, f"+study={study}", *root])
    composer.check_keys(config)
    recipe = build_recipe(config)
    refuse_nonsense(config, recipe.miner, recipe.loss)
    if study.startswith("lfw"):
        triplets = config.sampler._target_.endswith("TripletSampler")
        assert config.data.batch_size == (225 if triplets else 224)
        assert list(config.metrics.fars) == [0.354, 0.1, 0.01, 0.001]
    if study in ("lfw", "lfw_triplets"):
        assert (config.trainer.minutes, config.trainer.steps) == (10, 1000)


def test_val_is_told_by_a_triplet_loss_whatever_trains() -> None:
    recipe = build_recipe(composed("loss=semi_hard_mean", "loss.margin=0.4", "loss.squared=true"))
    assert isinstance(recipe.loss, SemiHardMeanLoss)
    assert (recipe.triplet_loss.margin, recipe.triplet_loss.squared) == (0.4, True)
    views = build_recipe(composed("loss=semi_hard_mean", "miner.views=true")).loss.views
    assert views is True
    assert (
        build_recipe(
            composed("optimizer.weight_decay=${optimizer.lr}", "optimizer.backbone_lr=0.5")
        ).backbone_lr
        == 0.5
    )
    recipe = build_recipe(composed("loss=arcface_triplet", "loss.second.margin=0.3"))
    assert recipe.triplet_loss is recipe.loss.second
    assert build_recipe(composed("loss=cosface")).triplet_loss.margin == 0.2


MEAN = ["loss=arcface_triplet", "loss.second._target_=facenet_lit.losses.semi_hard_mean.SemiHardMeanLoss"]
MEAN += [
    "~loss.second.mean_over",
    "~loss.second.soft_margin",
    "loss.second.margin=0.4",
    "loss.second.squared=true",
]


def test_of_two_losses_val_takes_the_margin_of_the_one_that_has_one() -> None:
    recipe = build_recipe(composed(*MEAN))
    assert isinstance(recipe.loss.second, SemiHardMeanLoss)
    assert (recipe.triplet_loss.margin, recipe.triplet_loss.squared) == (0.4, True)
    for first, second in (
        (TripletLoss(0.3), SemiHardMeanLoss(0.4)),
        (SemiHardMeanLoss(0.4), TripletLoss(0.3)),
    ):
        assert _triplet_loss(JointLoss(first, second)).margin == 0.3
    assert _triplet_loss(JointLoss(SemiHardMeanLoss(0.4), MarginSoftmaxLoss(margin=0.5))).margin == 0.4


@pytest.mark.parametrize("name", ["given", "masked", "semi_hard", "hard", "all"])
def test_every_miner_has_its_name_in_the_config(name: str) -> None:
    assert build_recipe(composed(f"miner={name}")).miner.name == name


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_every_optimiser_can_be_made(name: str, kind: type[torch.optim.Optimizer]) -> None:
    made = build_recipe(composed(f"optimizer={name}", "optimizer.lr=0.25")).optimizer(
        [torch.nn.Parameter(torch.zeros(2))]
    )
    assert type(made) is kind
    assert made.param_groups[0]["lr"] == 0.25


@pytest.mark.parametrize(
    "override", ["optimizer.lr=fast", "optimizer.lr=-1", "optimizer.weight_decay=.nan", "optimizer.lr=null"]
)
def test_an_optimiser_that_torch_would_refuse_later(override: str) -> None:
    with pytest.raises(UserError, match=override.split("=")[0].replace(".", r"\.")):
        build_recipe(composed(override))
    with pytest.raises(UserError, match="optimizer: Nesterov"):
        build_recipe(composed("optimizer=sgd", "optimizer.momentum=0"))


def test_an_optimiser_s_setting_is_left_to_torch_where_torch_would_choose() -> None:
    build_recipe(composed("+optimizer.foreach=null", "+optimizer.betas=[0.8,0.9]"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+logger.typo=1", r"^logger: got an unexpected keyword argument 'typo'"),
        ("logger._target_=builtins.dict", r"^logger: "),
        ("~logger", None),
    ],
)
def test_a_logger_is_checked_before_it_is_made(override: str, message: str | None) -> None:
    if message is None:
        assert build_recipe(composed(override)).logger is None
        return
    with pytest.raises(UserError, match=message):
        build_recipe(composed(override))


def test_the_logger_is_that_of_the_config(tmp_path: Path) -> None:
    factory = build_recipe(composed()).logger
    assert factory is not None
    assert isinstance(factory(save_dir=str(tmp_path), purge_step=0), RunLogger)
    assert list(tmp_path.iterdir()) == []  # nothing is written until something is logged


def test_a_callback_has_to_be_one() -> None:
    with pytest.raises(UserError, match=r"^callbacks\.mine: expected a Lightning callback"):
        build_recipe(composed("+callbacks.mine.points=3"))


@pytest.mark.parametrize("fars", ["3", "[2]", "[0.1,0.1]"])
def test_fars_are_a_list_of_rates(fars: str) -> None:
    assert read_fars(composed().metrics) == [0.1, 0.01, 0.001]
    with pytest.raises(UserError, match=r"^metrics\.fars="):
        read_fars(composed(f"metrics.fars={fars}").metrics)


@pytest.mark.parametrize("name", ["NAdam", "RMSprop", "Rprop"])
def test_an_optimiser_that_cannot_be_fused_is_not(name: str) -> None:
    settings = (f"optimizer._target_=torch.optim.{name}", "~optimizer.weight_decay")
    made = build_recipe(composed(*settings)).optimizer([torch.nn.Parameter(torch.zeros(1))])
    assert type(made).__name__ == name
    assert not made.defaults.get("fused")
