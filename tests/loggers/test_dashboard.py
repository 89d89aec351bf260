import sys

import pytest

from facenet_lit.errors import UserError
from facenet_lit.loggers.csv_logger import RunCsvLogger
from facenet_lit.loggers.dashboard import Dashboard, dashboards
from facenet_lit.loggers.mlflow_logger import RunMlflowLogger
from facenet_lit.loggers.tensorboard_logger import RunLogger
from facenet_lit.loggers.wandb_logger import RunWandbLogger


@pytest.mark.parametrize(("logger", "package"), [(RunWandbLogger, "wandb"), (RunMlflowLogger, "mlflow")])
def test_a_missing_package_is_named_with_its_extra(
    logger: type[Dashboard], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UserError, match=rf"^logger={package}: {package} is not installed; pip install -e "
    ) as e:
        logger.check()
    assert f'".[{package}]"' in str(e.value)
    assert "\n" not in str(e.value)


def test_what_every_install_has_is_not_looked_for() -> None:
    RunLogger.check()
    RunCsvLogger.check()


def test_only_loggers_that_take_pictures_are_handed_any(tmp_path: object) -> None:
    logger = RunCsvLogger(str(tmp_path))
    assert dashboards([object(), logger]) == [logger]
