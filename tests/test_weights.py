from pathlib import Path

import pytest
import torch
from torch import Tensor

from facenet_lit.backbones.embedder import Embedder
from facenet_lit.checkpoint import KEY, ModelCard
from facenet_lit.errors import UserError
from facenet_lit.weights import load_weights, read_weights, refuse_misfits, refuse_other_network

SMALL = {"depths": [1, 1], "cardinality": 2, "group_width": 4, "width": 8, "expansion": 2, "stem": "small"}
PEOPLE = torch.arange(64, dtype=torch.uint8).reshape(2, 32)


def card(**more: object) -> ModelCard:
    return ModelCard(
        **{
            "backbone": "resnext",
            "arguments": SMALL,
            "embedding_size": 16,
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
            **more,
        }
    )


def checkpoint(folder: Path, **more: object) -> tuple[Path, Embedder]:
    trained = card(trained_identities=PEOPLE, mean=[0.1] * 3, **more)
    embedder = trained.build()
    saved = {"state_dict": {f"embedder.{name}": weight for name, weight in embedder.state_dict().items()}}
    saved["state_dict"]["loss.directions"] = torch.zeros(2, 16)
    trained.save(saved)
    torch.save(saved, folder / "best.ckpt")
    return folder / "best.ckpt", embedder


def plain(folder: Path, tensors: dict[str, Tensor]) -> Path:
    torch.save(tensors, folder / "weights.pt")
    return folder / "weights.pt"


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_a_checkpoint_gives_all_and_its_card(tmp_path: Path) -> None:
    path, trained = checkpoint(tmp_path)
    weights = read_weights(path)
    assert weights.card is not None
    assert torch.equal(weights.card.trained_identities, PEOPLE)
    embedder = card().build()
    load_weights(embedder, weights)
    assert same(embedder, trained)
    assert embedder.mean.flatten().tolist() == pytest.approx([0.1] * 3)  # what the network was trained with


def test_a_plain_file_gives_the_backbone_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(0)
    trained, embedder, before = card().build(), card().build(), card().build()
    before.load_state_dict(embedder.state_dict())
    state = {**trained.backbone.state_dict(), "logits.weight": torch.zeros(9, 16)}
    weights = read_weights(plain(tmp_path, state))
    assert weights.card is None
    assert "does not say who it was trained on" in caplog.text
    load_weights(embedder, weights)
    assert same(embedder.backbone, trained.backbone)
    assert same(embedder.head, before.head)


@pytest.mark.parametrize("architecture", ["test_resnet", "test_convnext"])
def test_a_file_of_timm_gives_the_backbone(architecture: str, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    theirs = timm.create_model(architecture, pretrained=False).eval()
    embedder = card(backbone="timm", arguments={"architecture": architecture}).build().eval()
    load_weights(embedder, read_weights(plain(tmp_path, theirs.state_dict())))
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = theirs.forward_head(theirs.forward_features(images), pre_logits=True)
        torch.testing.assert_close(embedder.backbone(images), expected)
    own = read_weights(plain(tmp_path, embedder.backbone.state_dict()))
    refuse_misfits(embedder, own)
    other = "test_convnext" if architecture == "test_resnet" else "test_resnet"
    with pytest.raises(
        UserError, match=r"does not fit this network: lacks backbone\.network\..*; has besides"
    ):
        refuse_misfits(card(backbone="timm", arguments={"architecture": other}).build(), own)


def test_a_home_folder_may_be_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path, _ = checkpoint(tmp_path)
    assert read_weights("~/best.ckpt").path == path
    with pytest.raises(UserError, match=r"^model\.weights=~/absent\.pt: no such file"):
        read_weights("~/absent.pt")


def test_another_network_or_input_of_the_same_shapes_is_named(tmp_path: Path) -> None:
    weights = read_weights(checkpoint(tmp_path, data={"normalize": "image"})[0])
    refuse_other_network(weights, "resnext", {**SMALL, "downsample": "pool"}, "image")  # not in this card
    for backbone, arguments, normalize, told in [
        ("inception", SMALL, "image", "model.backbone=resnext, not inception"),
        ("resnext", {**SMALL, "cardinality": 4}, "image", "model.arguments.cardinality=2, not 4"),
        ("resnext", SMALL, "half", "data.normalize=image, not half"),
    ]:
        with pytest.raises(UserError, match=f"was trained with {told}; say so$"):
            refuse_other_network(weights, backbone, arguments, normalize)
    refuse_other_network(read_weights(plain(tmp_path, {"a": torch.zeros(1)})), "inception", {}, "half")


def test_what_differs_is_named(tmp_path: Path) -> None:
    state = card().build().backbone.state_dict()
    first = next(iter(state))
    one, two, three, four = list(state)[:4]
    with torch.device("meta"):
        embedder = card().build()
    refuse_misfits(embedder, read_weights(plain(tmp_path, dict(state))))
    for changed, told in [
        ({name: weight for name, weight in state.items() if name != first}, f"lacks backbone.{first};"),
        (
            {name: weight for name, weight in state.items() if name not in (one, two, three, four)},
            f"lacks backbone.{one}, backbone.{two}, backbone.{three} and 1 more;",
        ),
        ({**state, "typo": torch.zeros(1)}, "has besides backbone.typo;"),
        ({**state, first: torch.zeros(5, 2)}, f"differs in backbone.{first} of 5x2, not 8x3x3x3;"),
        ({"logits.weight": torch.zeros(1)}, "holds no backbone;"),
    ]:  # fmt: skip
        with pytest.raises(UserError, match="does not fit this network: ") as caught:
            refuse_misfits(embedder, read_weights(plain(tmp_path, changed)))
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"differs in head\.0\.weight of 24x32, not 16x32"):
        refuse_misfits(embedder, read_weights(checkpoint(tmp_path, embedding_size=24)[0]))


class Evil:
    """What a pickle may do to who reads it."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return print, ("run by a pickle",)


def test_what_are_no_weights_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"weights": Evil()}, tmp_path / "evil.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"a": 1}, tmp_path / "numbers.pt")
    torch.save({3: torch.zeros(1)}, tmp_path / "keys.pt")
    torch.save({KEY: {"version": 99}}, tmp_path / "outdated.pt")
    (tmp_path / "text.pt").write_text("no weights")
    for name, message in [
        ("absent", "no such file"), ("evil", "can't be read"), ("text", "can't be read"),
        ("outdated", "checkpoint: written in version 99"), ("list", "expected a checkpoint, or tensors by name"),
        ("numbers", "expected a checkpoint, or tensors by name"),
        ("keys", "expected a checkpoint, or tensors by name"),
    ]:  # fmt: skip
        with pytest.raises(UserError, match=rf"^model\.weights=.*{name}\.pt: {message}"):
            read_weights(tmp_path / f"{name}.pt")
    assert capsys.readouterr().out == ""
    with pytest.raises(UserError, match=r"^model\.weights=3: no such file"):
        read_weights(3)
