"""HTTP errors."""

from typing import ClassVar, Literal

from pydantic import Field

from battle.chaos.on_answers import AnswerFault
from battle.core.effects import Effect
from battle.core.ports.fault import Probe, ProbeOutcome
from battle.core.units import NS_PER_S, Duration


class HttpError(AnswerFault):
    """Answers with an HTTP error status in place of the result."""

    example: ClassVar[str] = "{kind: http_error, target: alpha, status: 503, share: 20%, at: 6s, for: 5s}"

    kind: Literal["http_error"] = "http_error"
    status: int = Field(default=500, ge=400, le=599)
    retry_after: Duration | None = None

    def effects(self) -> list[Effect]:
        """The status, with `Retry-After` in whole seconds when asked for."""
        headers = {} if self.retry_after is None else {"retry-after": str(-(-self.retry_after // NS_PER_S))}
        return [Effect(status=self.status, headers=headers, **self.part())]

    def verify(self, probe: Probe) -> bool | None:
        """Answered with this status: in force. Any other answer: not."""
        return probe.status == self.status if probe.outcome is ProbeOutcome.ANSWERED else None
