"""What decides on likely causes is read off the run."""

import pytest
import torch
from test_verification_module import made

from facenet_lit.backbones import build_backbone
from facenet_lit.callbacks.run_circumstances import circumstances_of, is_normed
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.margin_softmax import MarginSoftmaxLoss
from facenet_lit.losses.semi_hard_mean import SemiHardMeanLoss
from facenet_lit.losses.triplet import TripletLoss
from facenet_lit.mining import HardMiner


@pytest.mark.parametrize(
    ("name", "arguments", "normed"),
    [
        ("inception", {}, True),
        ("inception", {"batch_norm": "stem"}, False),
        ("inception", {"batch_norm": "none"}, False),
        ("resnext", {}, True),
        ("inception_resnet_v1", {}, True),
    ],
)
def test_which_backbones_are_normed(name: str, arguments: dict[str, object], normed: bool) -> None:
    with torch.device("meta"):
        assert is_normed(build_backbone(name, **arguments)) == normed


def test_a_run_is_read() -> None:
    module = made(HardMiner(), TripletLoss(0.2, squared=True))
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01, weight_decay=0.3)
    optimizer.param_groups[0]["base_lr"] = 0.02  # as the clock leaves it beside the scheduled one
    found = circumstances_of(module, [optimizer], 1.0)
    assert found == (0.02, True, True, "hard", True, "32", 0.3, True, True)


def test_what_the_loss_makes_of_it() -> None:
    softmax = circumstances_of(made(loss=MarginSoftmaxLoss()), [], None)
    assert (softmax.miner, softmax.squared, softmax.clipped) == (None, False, False)
    assert circumstances_of(made(loss=SemiHardMeanLoss(squared=True)), [], None).squared
    joint = JointLoss(MarginSoftmaxLoss(), TripletLoss(squared=True))
    assert circumstances_of(made(loss=joint), [], None)[3:5] == ("semi_hard", True)
    assert not circumstances_of(made(), [], None).squared


@pytest.mark.parametrize(("head", "normed"), [("batchnorm", True), ("linear", False), ("none", True)])
def test_a_head_without_anything_is_what_is_before_it(head: str, normed: bool) -> None:
    module = made()
    size = module.embedder.backbone.features if head == "none" else 16
    module.card.head, module.card.embedding_size = head, size
    module.embedder = module.card.build()
    assert circumstances_of(module, [], None).normed_head == normed


def test_pixels_that_nothing_is_taken_from() -> None:
    module = made()
    for mean, per_image, centred in (
        ([0.0] * 3, False, False),
        ([0.0] * 3, True, True),
        ([0.5] * 3, False, True),
    ):
        module.card.mean, module.card.per_image = mean, per_image
        assert circumstances_of(module, [], None).centred == centred
