"""Answers that never come."""

from typing import ClassVar, Literal

from battle.chaos.on_answers import AnswerFault
from battle.chaos.silence import seen_as_silence
from battle.core.effects import Effect
from battle.core.ports.fault import Probe


class Hang(AnswerFault):
    """The provider reads requests and never answers them; the connection stays open."""

    example: ClassVar[str] = "{kind: hang, target: alpha, share: 50%, at: 6s, for: 5s}"

    kind: Literal["hang"] = "hang"

    def effects(self) -> list[Effect]:
        """No answer."""
        return [Effect(hang=True, **self.part())]

    def verify(self, probe: Probe) -> bool | None:
        """Silence: in force. An answer: not. A refused connection says nothing."""
        return seen_as_silence(probe)
