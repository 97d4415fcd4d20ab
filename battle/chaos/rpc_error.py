"""JSON-RPC errors."""

from typing import ClassVar, Literal

from battle.chaos.on_answers import AnswerFault
from battle.core.effects import Effect
from battle.core.ports.fault import Probe, ProbeOutcome


class RpcError(AnswerFault):
    """Answers HTTP 200 with a JSON-RPC error in place of the result, as many nodes do."""

    example: ClassVar[str] = "{kind: rpc_error, target: alpha, code: -32000, share: 20%, at: 6s, for: 5s}"

    kind: Literal["rpc_error"] = "rpc_error"
    code: int = -32000
    message: str = "injected by battle"

    def effects(self) -> list[Effect]:
        """The error object."""
        return [Effect(rpc_error={"code": self.code, "message": self.message}, **self.part())]

    def verify(self, probe: Probe) -> bool | None:
        """Answered with this error code: in force. Any other answer: not."""
        if probe.outcome is not ProbeOutcome.ANSWERED:
            return None
        error = probe.body.get("error") if isinstance(probe.body, dict) else None
        return isinstance(error, dict) and error.get("code") == self.code
