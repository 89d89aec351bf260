from __future__ import annotations

import subprocess
import sys

import pytest

from facenet_lit import torchvision_operators
from facenet_lit.torchvision_operators import SCHEMAS, declare_missing_operators

FRESH_IMPORTS = """
import facenet_lit, torchvision, torchmetrics, lightning, torch
from facenet_lit import torchvision_operators
before = list(torchvision_operators._libraries)
torchvision_operators.declare_missing_operators()
torchvision_operators.declare_missing_operators()
assert [id(library) for library in torchvision_operators._libraries] == [id(library) for library in before]
for name, schema in torchvision_operators.SCHEMAS.items():
    print(name, schema.split("(")[0], getattr(torch.ops.torchvision, name).default._schema.name)
"""


def test_torchvision_and_what_imports_it_come_up_in_a_fresh_process() -> None:
    done = subprocess.run([sys.executable, "-c", FRESH_IMPORTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["nms nms torchvision::nms", "qnms qnms torchvision::qnms"]


def test_nothing_is_declared_where_torchvision_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_operators, "_libraries", [])
    monkeypatch.setattr(torchvision_operators, "_extension_loads", lambda: True)
    declare_missing_operators()
    assert torchvision_operators._libraries == []


def test_both_operators_are_declared_once_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: list[str] = []

    class Recorder:
        def __init__(self, namespace: str, kind: str) -> None:
            declared.append(f"{namespace} {kind}")

        def define(self, schema: str) -> None:
            declared.append(schema)

    monkeypatch.setattr(torchvision_operators, "_libraries", [])
    monkeypatch.setattr(torchvision_operators, "_extension_loads", lambda: False)
    monkeypatch.setattr(torchvision_operators.torch.library, "Library", Recorder)
    declare_missing_operators()
    declare_missing_operators()
    assert declared == ["torchvision DEF", *SCHEMAS.values()]
