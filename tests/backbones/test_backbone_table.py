"""The closed table of backbones: every one keeps the contract, and names are checked."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from facenet_lit.backbones import BACKBONES, build_backbone
from facenet_lit.errors import UserError

SMALL: dict[str, dict[str, Any]] = {
    "resnext": {"depths": [1, 1], "cardinality": 2, "group_width": 4, "width": 8, "stem": "small"},
    "inception": {"width": 0.125, "stem": "small"},
    "inception_resnet_v1": {"features": 8},
    "timm": {"architecture": "test_resnet"},
}


def test_every_backbone_has_a_small_example_here() -> None:
    assert set(SMALL) == set(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_contract(name: str) -> None:
    torch.manual_seed(0)
    network = build_backbone(name, **SMALL[name])
    assert type(network) is BACKBONES[name]
    result = network(torch.randn(2, 3, 79, 93))
    assert isinstance(network.features, int)
    assert result.shape == (2, network.features)


@pytest.mark.parametrize("name", BACKBONES)
def test_arguments_are_plain_keywords_with_defaults(name: str) -> None:
    for parameter in inspect.signature(BACKBONES[name]).parameters.values():
        assert isinstance(parameter.default, (int, float, str, bool, tuple)), parameter
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


@pytest.mark.parametrize("name", BACKBONES)
def test_same_seed_same_numbers(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build_backbone(name, **SMALL[name]).state_dict())
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_unknown_name() -> None:
    with pytest.raises(UserError, match=r"^model\.backbone=vgg: expected one of resnext, inception, "):
        build_backbone("vgg")


def test_unknown_argument_names_the_allowed_ones() -> None:
    with pytest.raises(
        UserError,
        match=r"^model\.arguments\.depth: unknown for resnext, expected one of depths, cardinality, ",
    ):
        build_backbone("resnext", depth=[1, 2])
