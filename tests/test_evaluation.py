import torch
from entry_points import TINY, call
from omegaconf import DictConfig, OmegaConf

from facenet_lit import command_line, evaluation, train
from facenet_lit.checkpoint import load_embedder
from facenet_lit.evaluation import Evaluated, embed_chosen

SOURCE = "facenet_lit.sources.synthetic.SyntheticFaces"


def test_the_embeddings_are_the_checkpoint_s_own(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(train.main, *TINY, "test=false", "hydra.run.dir=run").code == 0
    found: list[Evaluated] = []

    def job(config: DictConfig) -> None:
        found.append(embed_chosen(OmegaConf.create(config), config.checkpoint))

    def main() -> None:
        command_line.start("evaluate", job)

    best = "run/checkpoints/best.ckpt"
    data = (
        "data=synthetic",
        "data.seed=3",
        "data.identities=21",
        "data.images=2",
        "part=all",
        "batch_size=5",
    )
    ended = call(main, f"checkpoint={best}", *data, "metrics.fars=[0.1]")
    assert ended.code == 0, ended.err
    ((rows, chosen, card, files),) = found
    assert rows.numbers.tolist() == chosen.numbers.tolist() == list(range(42))
    assert len(files) == 42
    assert card.data["identities"] == 30
    source = evaluation.build_data(
        OmegaConf.create(
            {
                "source": {"_target_": SOURCE, "identities": 21, "images": 2, "seed": 3},
                "batch_size": 3, "size": 64, "crop": None, "normalize": "half", "split": "none", "split_seed": 0,
                "cache": "off", "on_bad_image": "error", "allow_leak": False, "workers": 0,
            }
        )
    )  # fmt: skip
    source.setup()
    images = torch.from_numpy(source.faces.images[:]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        torch.testing.assert_close(rows.embeddings, load_embedder(best)(images), atol=1e-5, rtol=0)
