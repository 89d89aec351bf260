"""The embedder: unit vectors, its normalisation, float32 at the end, gradients and arguments."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from facenet_lit.backbones.embedder import Embedder, RowDropout
from facenet_lit.errors import UserError

MEAN, STD = [0.5, 0.4, 0.3], [0.5, 0.25, 0.2]


class Thin(nn.Module):
    """A backbone of one convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 6, 3)
        self.features = 6

    def forward(self, images: Tensor) -> Tensor:
        return self.convolution(images).relu().mean((2, 3))


class Seen(nn.Module):
    """A backbone that keeps what it was given, and puts out its mean colours."""

    features = 3

    def forward(self, images: Tensor) -> Tensor:
        self.images = images
        return images.mean((2, 3))


def pictures(rows: int = 4, seed: int = 0) -> Tensor:
    return torch.randint(
        0, 256, (rows, 3, 9, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_pixels_are_normalised_by_colour(dtype: torch.dtype, layout: torch.memory_format) -> None:
    embedder = Embedder(Seen(), 4, MEAN, STD)
    given = pictures().to(dtype).contiguous(memory_format=layout)
    embedder(given)
    assert torch.equal(given, pictures().to(dtype))  # it is left as it was
    assert embedder.backbone.images.is_contiguous(memory_format=layout)
    expected = pictures().double() / 255
    for colour in range(3):
        expected[:, colour] = (expected[:, colour] - MEAN[colour]) / STD[colour]
    assert embedder.backbone.images.dtype == torch.float32
    torch.testing.assert_close(embedder.backbone.images.double(), expected, rtol=1e-6, atol=1e-6)


@given(
    rows=st.integers(2, 9),
    size=st.integers(2, 33),
    seed=st.integers(0, 99),
    head=st.sampled_from(["batchnorm", "linear"]),
)
@settings(max_examples=20, deadline=None)
def test_embeddings_are_unit_vectors(rows: int, size: int, seed: int, head: str) -> None:
    torch.manual_seed(seed)
    result = Embedder(Thin(), size, MEAN, STD, head=head)(pictures(rows, seed))
    assert result.shape == (rows, size)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.norm(dim=1), torch.ones(rows), rtol=1e-5, atol=1e-5)


def test_linear_head_is_the_normalised_product() -> None:
    torch.manual_seed(0)
    embedder = Embedder(Seen(), 4, MEAN, STD, head="linear").eval()
    layer = embedder.head[0]
    images = (pictures().double() / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[
        :, None, None
    ]
    product = images.mean((2, 3)) @ layer.weight.double().T + layer.bias.double()
    expected = product / product.square().sum(1, keepdim=True).sqrt()
    torch.testing.assert_close(embedder(pictures()).double(), expected, rtol=1e-5, atol=1e-5)


def test_batchnorm_head_centres_every_dimension() -> None:
    """Before training the embeddings of a batch lie all around, not in a cone."""
    torch.manual_seed(0)
    lengths = {}
    for head in ("batchnorm", "linear"):
        embedder = Embedder(Thin(), 64, MEAN, STD, head=head)
        lengths[head] = embedder(pictures(64)).mean(0).norm().item()  # 1 where all embeddings are equal
    assert lengths["batchnorm"] < 0.2 < 0.8 < lengths["linear"]


def test_head_runs_in_float32_under_autocast() -> None:
    """A head in bfloat16 would differ from the float32 one by about a hundredth."""
    torch.manual_seed(0)
    embedder = Embedder(Seen(), 16, MEAN, STD, head="linear").eval()
    with torch.no_grad():
        expected = embedder(pictures())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result = embedder(pictures())
            rounded = torch.nn.functional.normalize(
                embedder.head(embedder.backbone.images.mean((2, 3))).float()
            )
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, expected, rtol=1e-6, atol=1e-6)
    assert (rounded - expected).abs().max() > 1e-4


def test_dropout_leaves_out_a_share_in_training_only() -> None:
    torch.manual_seed(0)
    embedder = Embedder(Seen(), 4, MEAN, STD, head="linear", dropout=0.25)
    kept: list[Tensor] = []
    embedder.head.register_forward_hook(lambda _, inputs, __: kept.append(inputs[0]))
    images = pictures(400)
    embedder(images)
    embedder.eval()(images)
    trained, evaluated = kept
    assert torch.equal(evaluated, embedder.backbone.images.mean((2, 3)))
    left_out = trained == 0
    assert left_out.float().mean().item() == pytest.approx(0.25, abs=0.05)
    torch.testing.assert_close(trained[~left_out], evaluated[~left_out] / 0.75)


def test_mirror_joins_both_sides_in_evaluation_only() -> None:
    torch.manual_seed(0)
    one = Embedder(Thin(), 8, MEAN, STD, head="linear")
    both = Embedder(Thin(), 8, MEAN, STD, head="linear", mirror=True)
    both.load_state_dict(one.state_dict())
    images = pictures()
    assert torch.equal(both(images), one(images))  # in training
    one.eval(), both.eval()
    total = one(images).double() + one(images.flip(-1)).double()
    expected = total / total.square().sum(1, keepdim=True).sqrt()
    torch.testing.assert_close(both(images).double(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(both(images.flip(-1)), both(images), rtol=1e-5, atol=1e-6)
    assert (one(images.flip(-1)) - one(images)).abs().max() > 0.01


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_pixels_are_normalised_by_picture(dtype: torch.dtype) -> None:
    embedder = Embedder(Seen(), 4, [0.0] * 3, [1.0] * 3, per_image=True)
    images = pictures()
    images[1] = 77  # of one colour
    images[2] = torch.randint(100, 102, images[2].shape, dtype=torch.uint8)  # nearly
    embedder(images.to(dtype))
    for image, seen in zip(images.double() / 255, embedder.backbone.images.double(), strict=True):
        deviation = max(image.std(correction=0).item(), 1 / (3 * 9 * 8) ** 0.5)
        torch.testing.assert_close(seen, (image - image.mean()) / deviation, rtol=1e-5, atol=1e-5)
    assert embedder.backbone.images[1].abs().max() < 1e-5
    assert embedder.backbone.images[2].std() < 0.1


@pytest.mark.parametrize("per_image", [False, True])
def test_no_picture_gives_no_embedding(per_image: bool) -> None:
    embedder = Embedder(Thin(), 8, MEAN, STD, per_image=per_image).eval()
    assert embedder(pictures(0)).shape == (0, 8)


def test_exposure_does_not_change_what_is_normalised_by_picture() -> None:
    torch.manual_seed(0)
    embedder = Embedder(Thin(), 8, [0.0] * 3, [1.0] * 3, head="linear", per_image=True)
    images = pictures().float()
    torch.testing.assert_close(embedder(20 + 0.7 * images), embedder(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", ["batchnorm", "linear"])
def test_zero_row_gives_no_nan(head: str) -> None:
    embedder = Embedder(Thin(), 4, MEAN, STD, head=head).eval()
    for parameter in embedder.head.parameters():
        nn.init.zeros_(parameter)
    result = embedder(pictures())
    assert torch.equal(result, torch.zeros(4, 4))
    result.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in embedder.parameters())


@pytest.mark.parametrize("head", ["batchnorm", "linear"])
def test_every_parameter_has_a_gradient(head: str) -> None:
    torch.manual_seed(0)
    embedder = Embedder(Thin(), 8, MEAN, STD, head=head)
    (embedder(pictures(8)) * torch.randn(8, 8)).sum().backward()
    for name, parameter in embedder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("head", ["batchnorm", "linear"])
def test_row_is_independent_of_its_batch_in_eval(head: str) -> None:
    torch.manual_seed(0)
    embedder = Embedder(Thin(), 8, MEAN, STD, head=head)
    embedder(pictures(8))  # running figures
    embedder.eval()
    with torch.no_grad():
        alone = torch.cat([embedder(picture[None]) for picture in pictures(5)])
        torch.testing.assert_close(embedder(pictures(5)), alone, rtol=1e-5, atol=1e-5)


def test_mean_and_std_travel_with_the_numbers() -> None:
    state = Embedder(Thin(), 4, MEAN, STD).state_dict()
    other = Embedder(Thin(), 4, [0.0] * 3, [1.0] * 3)
    other.load_state_dict(state)
    assert other.mean.flatten().tolist() == pytest.approx(MEAN)
    assert other.std.flatten().tolist() == pytest.approx(STD)
    assert [name for name in state if not name.startswith("backbone.")] == [
        "mean",
        "std",
        "head.0.weight",
        "head.1.weight",
        "head.1.bias",
        "head.1.running_mean",
        "head.1.running_var",
        "head.1.num_batches_tracked",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding_size", 0),
        ("embedding_size", 12.0),
        ("mean", [0.5, 0.5]),
        ("mean", 0.5),
        ("mean", [0.5, 0.5, float("inf")]),
        ("std", [0.5, 0.0, 0.5]),
        ("std", "abc"),
        ("head", "mlp"),
        ("dropout", 1.5),
        ("mirror", "left"),
        ("dropout", 1),
    ],
)
def test_bad_argument_is_named(name: str, value: object) -> None:
    good = {"embedding_size": 8, "mean": MEAN, "std": STD}
    with pytest.raises(UserError, match=rf"^model\.{name}=.*expected") as caught:
        Embedder(Thin(), **{**good, name: value})
    assert "\n" not in str(caught.value)


def test_a_frozen_backbone_stays_as_it_is() -> None:
    backbone = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    backbone.features = 6
    embedder = Embedder(backbone, 8, MEAN, STD, freeze=True).train()
    before = {name: weight.clone() for name, weight in embedder.state_dict().items()}
    embedder(pictures()).sum().backward()
    changed = {
        name for name, weight in embedder.state_dict().items() if not torch.equal(weight, before[name])
    }
    assert changed == {"head.1.running_mean", "head.1.running_var", "head.1.num_batches_tracked"}
    assert all(weight.grad is None for weight in backbone.parameters())
    assert embedder.head[0].weight.grad is not None
    assert embedder.training
    assert not backbone.training


def test_a_frozen_backbone_without_a_head_is_refused() -> None:
    with pytest.raises(UserError, match=r"^model\.freeze=true: model\.head=none leaves nothing to learn"):
        Embedder(Thin(), 6, MEAN, STD, head="none", freeze=True)


def test_without_a_head_the_features_are_the_embedding() -> None:
    embedder = Embedder(Thin(), 6, MEAN, STD, head="none").eval()
    images = pictures()
    pixels = (images.float() / 255 - embedder.mean) / embedder.std
    expected = nn.functional.normalize(embedder.backbone(pixels), dim=1)
    torch.testing.assert_close(embedder(images), expected)
    with pytest.raises(UserError, match=r"^model\.head=none: expected model\.embedding_size=6, .* not 8$"):
        Embedder(Thin(), 8, MEAN, STD, head="none")


def test_per_image_is_a_flag() -> None:
    with pytest.raises(UserError, match=r"^per_image=.yes"):
        Embedder(Thin(), 8, MEAN, STD, per_image="yes")


def test_a_share_of_a_batch_is_dropped_as_in_the_whole() -> None:
    dropout = RowDropout(0.4)
    features = torch.rand(7, 50) + 1
    torch.manual_seed(3)
    whole = dropout(features)
    torch.manual_seed(3)
    assert torch.equal(whole, nn.functional.dropout(features, 0.4))
    for first, last in [(0, 2), (2, 6), (6, 6), (6, 7)]:
        torch.manual_seed(3)
        dropout.share = (first, 7)
        assert torch.equal(dropout(features[first:last]), whole[first:last])
    dropout.eval()
    assert dropout(features) is features
