"""FaceNet in PyTorch Lightning: train a face-verification embedding and know exactly how good it is."""

from facenet_lit.torchvision_operators import declare_missing_operators

# Before anything imports torchvision, as torchmetrics and lightning do.
declare_missing_operators()

__version__ = "0.1.0"
