"""A run with pictures, made once for the tests that look at it."""

import pytest
from dashboard_runs import DashboardRun, dashboard_run


@pytest.fixture(scope="package")
def drawn_run(tmp_path_factory: pytest.TempPathFactory) -> DashboardRun:
    """Four steps, validated after two and four."""
    run = dashboard_run(tmp_path_factory.mktemp("sweep") / "run", "optimizer.lr=2e-3", "resume=auto")
    assert run.ended.code == 0, run.ended.err
    return run
