"""FaceNet in PyTorch Lightning: train a face-verification embedding and know exactly how good it is."""

import os

from facenet_lit.torchvision_operators import declare_missing_operators

# Before anything imports torchvision, as torchmetrics and lightning do.
declare_missing_operators()

# Read when cv2 is first imported. Pictures that don't decode are reported by name; OpenCV's lines have none.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

__version__ = "0.1.0"
