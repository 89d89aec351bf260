"""The cells of a study are the jobs of its sweep, seeds aside, and every one of them composes."""

import pytest
from hydra.utils import instantiate
from study_cells import HERE, by_cell, cells_of, composed, studies

from facenet_lit.mining import Miner
from facenet_lit.recipe import build_recipe
from facenet_lit.start_checks import refuse_nonsense

STUDIES = sorted(path.stem for path in (HERE / "study").glob("*.yaml"))


@pytest.mark.parametrize("study", STUDIES)
def test_every_cell_of_every_study_has_settings_that_can_be_used(study: str) -> None:
    for cell in cells_of(study):
        config = composed(study, cell)
        miner, loss = instantiate(config.miner), instantiate(config.loss)
        assert isinstance(miner, Miner)
        if loss.ever_needs_triplets and miner.needs_given:
            assert "TripletSampler" in config.sampler._target_
        steps, minutes = config.trainer.steps, config.trainer.minutes
        assert study in ("small", "search", "synthetic", "lfw_view1") or steps or minutes


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_every_cell_of_every_study_is_taken_by_training(study: str) -> None:
    pytest.importorskip("timm")
    for cell in cells_of(study):
        config = composed(study, cell)
        recipe = build_recipe(config)
        refuse_nonsense(config, recipe.miner, recipe.loss)


def test_cells_are_the_product_of_what_is_swept_over() -> None:
    cells = cells_of("backbones")
    assert len(cells) == 10
    assert cells[:2] == [
        {"model": "resnext", "cell": "backbones/seconds"},
        {"model": "resnext", "cell": "backbones/images"},
    ]
    assert cells_of("synthetic") == [{}]


def test_every_cell_file_is_run_by_a_study() -> None:
    files = {
        str(path.relative_to(HERE / "cell").with_suffix("")) for path in (HERE / "cell").glob("*/*.yaml")
    }
    swept = {
        cell["cell"] for study in STUDIES if study != "search" for cell in cells_of(study) if "cell" in cell
    }
    assert files == swept


def test_results_go_to_their_cells() -> None:
    rows = [{"choice": choice} for choice in ({"b": "1", "a": "x"}, {"c": "2"}, {"a": "x", "b": 1})]
    found = by_cell(rows, [{"a": "y", "b": "1"}, {"a": "x", "b": "1"}])
    assert [(dict(choice), len(own)) for choice, own in found] == [
        ({"a": "y", "b": "1"}, 0),
        ({"b": "1", "a": "x"}, 2),
        ({"c": "2"}, 1),
    ]


def test_studies_are_the_sweeps() -> None:
    found = studies()
    assert {"lfw", "loss", "stuck_at_margin"} <= set(found)
    assert not {"lfw_view1", "small", "search", "synthetic"} & set(found)
