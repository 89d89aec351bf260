import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from facenet_lit.job import Job


@pytest.mark.parametrize("resumed", [None, Path("run/checkpoints/last.ckpt")])
def test_a_job_arrives_as_it_was_sent(resumed: Path | None) -> None:
    config = OmegaConf.create({"loss": {"margin": 0.2, "views": "${miner.views}"}, "miner": {"views": True}})
    job = Job(config, Path("run"), resumed, {"data": "synthetic", "debug": None}, ("seed=3", "data.size=64"))
    arrived = Job.of(json.loads(json.dumps(job.message())))
    assert (arrived.folder, arrived.resumed, arrived.choices) == (job.folder, resumed, job.choices)
    assert arrived.overrides == job.overrides
    assert arrived.config.loss.views is True
    assert arrived.config.loss.margin == 0.2
