import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from facenet_lit.config_dir import config_dir
from facenet_lit.errors import UserError
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import GivenMiner, HardMiner, MaskedMiner, SemiHardMiner
from facenet_lit.start_checks import refuse_misplaced_values, refuse_nonsense


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(config_dir()), version_base="1.3"):
        return compose("train", overrides=list(overrides))


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("SLURM_NTASKS", raising=False)


def test_the_defaults_make_sense() -> None:
    refuse_misplaced_values(composed())
    refuse_nonsense(composed(), SemiHardMiner(), TripletLoss())
    for miner in (GivenMiner(), MaskedMiner(), SemiHardMiner()):
        refuse_nonsense(composed("sampler=triplets"), miner, TripletLoss())
    refuse_nonsense(composed("sampler=pk"), SemiHardMiner(), TripletLoss())


@pytest.mark.parametrize("miner", [GivenMiner(), MaskedMiner()])
def test_a_miner_of_drawn_triplets_needs_them(miner: GivenMiner) -> None:
    with pytest.raises(UserError, match=f"miner={miner.name}: expected drawn triplets"):
        refuse_nonsense(composed("sampler=pk"), miner, TripletLoss())


def test_a_loss_that_mines_by_itself_wants_no_other_miner() -> None:
    refuse_nonsense(composed(), SemiHardMiner(), SemiHardMeanLoss())
    refuse_nonsense(composed(), HardMiner(), JointLoss(MarginSoftmaxLoss(), TripletLoss()))
    refuse_nonsense(composed(), HardMiner(), JointLoss(MarginSoftmaxLoss(), TripletLoss(), switch_epoch=2))
    with pytest.raises(UserError, match="miner=hard: this loss takes the pairs of a batch by itself"):
        refuse_nonsense(composed(), HardMiner(), SemiHardMeanLoss())


@pytest.mark.parametrize(("override", "fits"), [("data.size=64", False), ("data.size=80", True)])
def test_a_grid_has_to_fit_the_last_maps(override: str, fits: bool) -> None:
    config = composed(override, "model.arguments.grid=5")
    if fits:
        refuse_nonsense(config, SemiHardMiner(), TripletLoss())
        return
    with pytest.raises(UserError, match=r"^model\.arguments\.grid=5: .* 4x4 .* from 1 to 4$"):
        refuse_nonsense(config, SemiHardMiner(), TripletLoss())


@pytest.mark.parametrize("model", sorted(path.stem for path in (config_dir() / "model").glob("*.yaml")))
def test_every_network_passes(model: str) -> None:
    size = 160 if model == "inception_resnet_v1" else 64
    refuse_nonsense(composed(f"model={model}", f"data.size={size}"), SemiHardMiner(), TripletLoss())


# A wrong size of pictures, and an encoder without pooled features.
@pytest.mark.parametrize("architecture", ["vit_tiny_patch16_224", "mobilenetv5_300m_enc"])
def test_what_a_foreign_network_says_is_one_line(architecture: str) -> None:
    config = composed("model=timm", f"model.arguments.architecture={architecture}")
    with pytest.raises(UserError, match=r"^data\.size=64: timm can't take it: ") as caught:
        refuse_nonsense(config, SemiHardMiner(), TripletLoss())
    assert "\n" not in str(caught.value)


def test_a_network_of_several_maps_is_named() -> None:
    pytest.importorskip("timm")
    config = composed("model=timm", "model.arguments.architecture=crossvit_9_240")
    with pytest.raises(UserError, match=r"^model\.arguments\.architecture=crossvit_9_240: has several maps"):
        refuse_nonsense(config, SemiHardMiner(), TripletLoss())


@pytest.mark.parametrize("name", ["val/eer", "val/auc_balanced", "val/loss", "val/tar_at_far_0.354_balanced"])
def test_every_figure_of_val_can_be_the_monitor(name: str) -> None:
    refuse_nonsense(composed("metrics.fars=[0.354]", f"monitor={name}"), SemiHardMiner(), TripletLoss())


@pytest.mark.parametrize("name", ["test/eer", "eer", "val/tar_at_far_1e-1", "train/loss"])
def test_nothing_else_can(name: str) -> None:
    with pytest.raises(UserError, match=f"monitor={name}: expected one of val/tar, "):
        refuse_nonsense(composed("metrics.fars=[0.354]", f"monitor={name}"), SemiHardMiner(), TripletLoss())


@pytest.mark.parametrize(("seed", "refused"), [(2**32 - 1, False), (2**32, True), (-1, True)])
def test_a_seed_that_every_generator_takes(seed: int, refused: bool) -> None:
    if refused:
        with pytest.raises(UserError, match=f"^seed={seed}: expected an integer from 0 to 4294967295"):
            refuse_nonsense(composed(f"seed={seed}"), SemiHardMiner(), TripletLoss())
    else:
        refuse_nonsense(composed(f"seed={seed}"), SemiHardMiner(), TripletLoss())


@pytest.mark.parametrize("override", ["checkpoint=3", "model.arguments=null", "callbacks.curves=3"])
def test_a_value_in_the_place_of_settings(override: str) -> None:
    with pytest.raises(UserError, match="expected settings under it"):
        refuse_misplaced_values(composed(override))


@pytest.mark.parametrize("output", ["l2", "absolute", "l2_over_batch"])
def test_an_output_that_is_no_embedding_is_told(output: str, caplog: pytest.LogCaptureFixture) -> None:
    refuse_nonsense(composed(f"model.output={output}"), SemiHardMiner(), TripletLoss())
    told = [record.message for record in caplog.records]
    assert len(told) == (output != "l2")
    assert all(line.startswith(f"model.output={output}: training ") for line in told)


@pytest.mark.parametrize("override", ["trainer.devices=2", "trainer.chunk=32"])
def test_an_output_over_the_batch_wants_all_of_it(override: str) -> None:
    refuse_nonsense(composed("model.output=absolute", override), SemiHardMiner(), TripletLoss())
    with pytest.raises(UserError, match=r"^model\.output=l2_over_batch: rows depend on"):
        refuse_nonsense(composed("model.output=l2_over_batch", override), SemiHardMiner(), TripletLoss())
