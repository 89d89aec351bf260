"""Imports facenet_lit first: it declares what torchvision may lack, before torchmetrics imports it."""

import os

import pytest

import facenet_lit  # noqa: F401
from facenet_lit.sources.lfw import LFWSource


@pytest.fixture(scope="session")
def real_lfw() -> LFWSource:
    """LFW itself, for the tests that are marked ``real_faces``."""
    place = os.environ.get("FACENET_LIT_LFW")
    if not place:
        pytest.skip("FACENET_LIT_LFW names no archive or folder of LFW with its lists beside it")
    return LFWSource(place)
