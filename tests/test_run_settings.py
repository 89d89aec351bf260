from facenet_lit.run_settings import run_settings

CONFIG = {
    "seed": 3,
    "data": {"root": "faces", "batch_size": 75, "cache": "off", "workers": 0},
    "optimizer": {"lr": 1e-3, "fused": True},
    "loss": {"margin": 0.2},
    "model": {"arguments": {"depths": [1, 2]}},
    "trainer": {"minutes": None, "steps": 100},
    "metrics": {"fars": [0.1, 0.01]},
}
CHOICES = {"data": "folder", "model": "resnext", "loss": "triplet", "optimizer": "adamw", "debug": None}


def test_the_main_ones_and_what_the_user_said_by_the_names_that_are_typed() -> None:
    said = ["optimizer=adamw", "loss.margin=0.2", "data.root=faces", "+optimizer.fused=true", "~callbacks"]
    said += [
        "model.arguments.depths=[1,2]",
        "hydra.run.dir=x",
        "resume=auto",
        "logger.mode=offline",
        "debug=null",
    ]
    row = run_settings(CONFIG, CHOICES, said)
    assert row.values == {
        "data": "folder",
        "model": "resnext",
        "loss": "triplet",
        "optimizer": "adamw",
        "seed": 3,
        "data.batch_size": 75,
        "optimizer.lr": 1e-3,
        "trainer.steps": 100,
        "loss.margin": 0.2,
        "optimizer.fused": "true",
        "model.arguments.depths": "[1, 2]",
    }
    assert row.chosen == {"optimizer", "loss.margin", "optimizer.fused", "model.arguments.depths"}


def test_a_study_is_a_choice() -> None:
    row = run_settings(CONFIG, {**CHOICES, "study": "lfw"}, ["+study=lfw", "data.roots=x"])
    assert row.values["study"] == "lfw"
    assert row.chosen == {"study"}
