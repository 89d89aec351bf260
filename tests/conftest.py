"""Imports facenet_lit first: it declares what torchvision may lack, before torchmetrics imports it."""

import facenet_lit  # noqa: F401
