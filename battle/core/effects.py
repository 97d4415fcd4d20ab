"""What a fault asks a provider to do to the arrivals it meets.

A fault kind translates its settings into effects; a provider process carries them out. Effects are plain data, so
that they travel over a control socket, and this module needs nothing but the standard library, so that a provider
process starts fast.
"""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Effect:
    """One change to the answers of a provider; several in force at once compose.

    Which arrivals: `share` of them (drawn per arrival, seeded), or every n-th, among those whose method is in
    `methods` (all when empty). A batch is one arrival, but only its calls of these methods get the `rpc_error`. Probes
    always count as met, so that an effect on a small share can be verified too.
    What happens: the answer is delayed (delays of several effects add up), never comes (`hang`), has this HTTP
    `status`, or carries this JSON-RPC error `rpc_error`. Where two effects disagree, the first one applied wins.
    """

    delay_ns: int = 0
    jitter_ns: int = 0
    hang: bool = False
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    rpc_error: dict[str, Any] | None = None
    share: float = 1.0
    every_nth: int = 1
    methods: tuple[str, ...] = ()

    def to_message(self) -> dict[str, Any]:
        """The effect as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> "Effect":
        """The effect from what `to_message` made. Raises TypeError on unknown fields."""
        return cls(**{**message, "methods": tuple(message.get("methods", ()))})
