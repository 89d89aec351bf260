"""What a run trains with, as far as it decides what an illness may come of."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from facenet_lit.health.causes import Circumstances
from facenet_lit.losses.joint import JointLoss
from facenet_lit.losses.loss import Loss
from facenet_lit.verification_module import VerificationModule


def circumstances_of(
    module: VerificationModule, optimizers: Sequence[Optimizer], clip: float | None
) -> Circumstances:
    """Reads them off a module, its optimisers, and the largest norm of the gradient, None where it has no limit."""
    head, normed = module.embedder.head, is_normed(module.embedder.backbone)
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    return Circumstances(
        learning_rate=max((group.get("base_lr", group["lr"]) for group in groups), default=0.0),
        normed_head=any(isinstance(part, _NormBase) for part in head) or (normed and not len(head)),
        normed_backbone=normed,
        miner=module.miner.name if module.loss.needs_triplets else None,
        squared=_squared(module.loss),
        precision=module.card.precision,
        weight_decay=max((group.get("weight_decay", 0.0) for group in groups), default=0.0),
        clipped=clip is not None,
        centred=module.card.per_image or any(module.card.mean),
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
