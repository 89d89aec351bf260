from pathlib import Path

import pytest
import torch

from facenet_lit.checkpoint import KEY, ModelCard, load_embedder, newest_whole, read_card, read_checkpoint
from facenet_lit.errors import UserError

SMALL = {"depths": [1, 1], "cardinality": 2, "group_width": 4, "width": 8, "expansion": 2, "stem": "small"}


def card() -> ModelCard:
    return ModelCard(
        backbone="resnext",
        arguments=SMALL,
        embedding_size=16,
        mean=[0.1, 0.2, 0.3],
        std=[0.5, 0.6, 0.7],
        head="linear",
        dropout=0.25,
        mirror=True,
        per_image=True,
        data={"choice": "synthetic", "size": 64},
        threshold=1.25,
        trained_identities=torch.arange(64, dtype=torch.uint8).reshape(2, 32),
    )


def saved(folder: Path) -> tuple[Path, torch.nn.Module]:
    embedder = card().build()
    checkpoint = {"state_dict": {f"embedder.{k}": v for k, v in embedder.state_dict().items()}}
    card().save(checkpoint)
    torch.save(checkpoint, folder / "best.ckpt")
    return folder / "best.ckpt", embedder.eval()


def test_an_embedder_comes_back_as_it_was(tmp_path: Path) -> None:
    path, embedder = saved(tmp_path)
    images = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    loaded = load_embedder(path)
    assert not loaded.training
    assert torch.equal(loaded(images), embedder(images))
    assert loaded(images).norm(dim=1).tolist() == pytest.approx([1.0] * 3)


def test_a_home_folder_may_be_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    saved(tmp_path)
    assert load_embedder("~/best.ckpt").mirror
    with pytest.raises(UserError, match=r"^checkpoint=~/absent\.ckpt: no such file"):
        read_checkpoint("~/absent.ckpt")


def test_a_card_comes_back_as_it_was(tmp_path: Path) -> None:
    read = read_card(read_checkpoint(saved(tmp_path)[0]))
    assert torch.equal(read.trained_identities, card().trained_identities)
    assert {**vars(read), "trained_identities": 0, "trained_pictures": 0} == {
        **vars(card()),
        "trained_identities": 0,
        "trained_pictures": 0,
    }


class Evil:
    """What a pickle may do to who reads it."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return print, ("run by a pickle",)


def test_nothing_is_run_by_reading(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({KEY: Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(UserError, match="can't be read"):
        read_checkpoint(tmp_path / "evil.ckpt")
    assert capsys.readouterr().out == ""


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    half = tmp_path / "half.ckpt"
    half.write_bytes(path.read_bytes()[:1000])
    text = tmp_path / "text.ckpt"
    text.write_text("no checkpoint")
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    for name, message in (("half", "can't be read"), ("text", "can't be read"), ("foreign", "not a checkpoint of"),
                          ("absent", "no such file")):  # fmt: skip
        with pytest.raises(UserError, match=message) as caught:
            read_checkpoint(tmp_path / f"{name}.ckpt")
        assert "\n" not in str(caught.value)
        assert f"{name}.ckpt" in str(caught.value)


def test_another_version_of_the_format_is_refused() -> None:
    checkpoint: dict = {}
    card().save(checkpoint)
    checkpoint[KEY]["version"] = 99
    with pytest.raises(UserError, match="version 99"):
        read_card(checkpoint)


def test_a_card_from_before_the_later_settings_is_read(tmp_path: Path) -> None:
    checkpoint = torch.load(saved(tmp_path)[0], weights_only=True)
    for name in ("dropout", "mirror", "per_image"):
        del checkpoint[KEY][name]
    read = read_card(checkpoint)
    assert (read.dropout, read.mirror, read.per_image) == (0.0, False, False)


@pytest.mark.parametrize("odd", ["mean", "typo"])
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, odd: str) -> None:
    checkpoint = torch.load(saved(tmp_path)[0], weights_only=True)
    if odd in checkpoint[KEY]:
        del checkpoint[KEY][odd]
    else:
        checkpoint[KEY][odd] = 1
    with pytest.raises(UserError, match=f"does not fit this version of facenet_lit: {odd}$"):
        read_card(checkpoint)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    for state in ({}, {**checkpoint["state_dict"], "embedder.typo": torch.zeros(1)}):
        torch.save({**checkpoint, "state_dict": state}, path)
        with pytest.raises(UserError, match="its weights do not fit its card: ") as caught:
            load_embedder(path)
        assert "\n" not in str(caught.value)


def test_an_unknown_backbone_is_refused() -> None:
    unknown = ModelCard("os.system", {}, 16, [0.0] * 3, [1.0] * 3)
    with pytest.raises(UserError, match=r"os\.system"):
        unknown.build()


def test_the_newest_whole_one_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = [tmp_path / f"{step}.ckpt" for step in (3, 9, 5)]
    for path in paths:
        checkpoint: dict[str, object] = {"global_step": int(path.stem)}
        card().save(checkpoint)
        torch.save(checkpoint, path)
    assert newest_whole([*paths, tmp_path / "none.ckpt"]) == paths[1]
    assert not caplog.messages
    paths[1].write_bytes(paths[1].read_bytes()[:-200])  # as a full disk leaves it
    assert newest_whole(paths) == paths[2]
    (told,) = caplog.messages
    assert told.startswith(f"checkpoint={paths[1]}: can't be read")
    assert newest_whole([paths[1]]) is None
