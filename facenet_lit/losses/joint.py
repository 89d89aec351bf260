"""Two losses at once, or one after the other."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from facenet_lit.batch import Rows
from facenet_lit.errors import UserError, check_integer, check_number
from facenet_lit.losses.loss import Loss, LossSum


class JointLoss(Loss):
    """The sum of two losses; with ``switch_epoch`` the first before that epoch, the second from it on.

    Args:
        first: such as a margin softmax, which learns fast from many identities.
        second: such as a triplet loss, which looks at distances as verification does.
        weight: of the second in the sum.
        switch_epoch: number of the first epoch, from 0, of the second loss alone; None for both at once.

    Raises:
        UserError: a setting is out of range.
    """

    def __init__(
        self, first: Loss, second: Loss, weight: float = 1.0, switch_epoch: int | None = None
    ) -> None:
        super().__init__()
        for name, loss in (("first", first), ("second", second)):
            if not isinstance(loss, Loss) or isinstance(loss, JointLoss):
                raise UserError(f"loss.{name}: expected a loss, and not a joint one, named by _target_")
        self.first, self.second = first, second
        self.weight = check_number("loss.weight", weight, above=True)
        self.switch_epoch = (
            None if switch_epoch is None else check_integer("loss.switch_epoch", switch_epoch, 1)
        )
        self.epoch = 0

    @property
    def needs_triplets(self) -> bool:  # type: ignore[override]
        """Whether a loss of this epoch does."""
        return any(loss.needs_triplets for loss, _ in self._now())

    @property
    def ever_needs_triplets(self) -> bool:
        """Whether either does."""
        return self.first.needs_triplets or self.second.needs_triplets

    def set_up(self, identities: Tensor, embedding_size: int) -> None:
        """Sets both up."""
        self.first.set_up(identities, embedding_size)
        self.second.set_up(identities, embedding_size)

    def set_epoch(self, epoch: int) -> None:
        """Switches where it is time."""
        self.epoch = epoch

    def forward(self, anchors: Rows, rows: Rows, triplets: Tensor) -> LossSum:
        """Scores a batch, see ``Loss``; counts and active rows are those of the first loss of the epoch."""
        (loss, _), *others = self._now()
        own: LossSum = loss(anchors, rows, triplets)
        added = []
        for other, weight in others:
            scored: LossSum = other(anchors, rows, triplets)
            added.append(replace(scored, total=weight * scored.total))
        return replace(own, total=own.total + 0 * self._of_the_other(), added=tuple(added))

    def _of_the_other(self) -> Tensor | float:
        """The sum of the parameters of a loss that this epoch leaves out.

        Times 0 it gives them a gradient: processes that average their gradients wait for that of every parameter.
        """
        now = [loss for loss, _ in self._now()]
        others = [loss for loss in (self.first, self.second) if loss not in now]
        return sum((weight.sum() for loss in others for weight in loss.parameters()), start=0.0)

    def _now(self) -> list[tuple[Loss, float]]:
        """The losses of this epoch, and their weights."""
        if self.switch_epoch is None:
            return [(self.first, 1.0), (self.second, self.weight)]
        return [(self.first, 1.0)] if self.epoch < self.switch_epoch else [(self.second, 1.0)]
