"""Describes a piece of a comparison that is to be made."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from recbole_decrs.compare.wanted import Wanted


@dataclass
class Job:
    """Describes a piece that is to be made, in plain data, so that another process can make it."""

    kind: str
    """``train`` or ``measure``."""
    name: str
    backbone: str
    seed: int
    _: KW_ONLY
    subject: str
    """The class of the model, or the name of the method: pieces that have it in common take about as long."""
    wanted: Wanted | None = None
    """The model that is to be trained; None where a method is to be measured."""
    needs: tuple[str, ...] = ()
    """The keys of the trainings that come before it."""
    seconds: float | None
    """How long the piece took when it was made, perhaps in an earlier run; None where it is still to be made."""
    needed: bool
    """Whether nothing can be compared without the piece."""

    @property
    def key(self) -> str:
        """Tell the piece from all others: a model and its method may share a name."""
        return f"{self.kind} {self.name}"
