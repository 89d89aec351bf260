"""What a run trains with, as far as it decides what an illness may come of."""

from __future__ import annotations

import lightning as L
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from facenet_lit.health.causes import Circumstances
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.loss import Loss
from facenet_lit.verification_module import VerificationModule


def circumstances_of(trainer: L.Trainer, module: VerificationModule) -> Circumstances:
    """Reads them off trainer and module."""
    head, normed = module.embedder.head, is_normed(module.embedder.backbone)
    groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
    return Circumstances(
        learning_rate=max((group.get("base_lr", group["lr"]) for group in groups), default=0.0),
        normed_head=any(isinstance(part, _NormBase) for part in head) or (normed and not len(head)),
        normed_backbone=normed,
        miner=module.miner.name if module.loss.needs_triplets else None,
        squared=_squared(module.loss),
        precision=module.card.precision,
        weight_decay=max((group.get("weight_decay", 0.0) for group in groups), default=0.0),
        clipped=trainer.gradient_clip_val is not None,
    )


def is_normed(backbone: nn.Module) -> bool:
    """Whether norms stand behind half of the convolutions or more."""
    parts = list(backbone.modules())
    convolutions = sum(isinstance(part, nn.Conv2d) for part in parts)
    return (
        2 * sum(isinstance(part, (_NormBase, nn.LayerNorm, nn.GroupNorm)) for part in parts) >= convolutions
    )


def _squared(loss: Loss) -> bool:
    parts = (loss.first, loss.second) if isinstance(loss, JointLoss) else (loss,)
    return any(getattr(part, "squared", False) for part in parts)
