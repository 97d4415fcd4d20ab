"""How requests travel: a session sends calls and reports each of them once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from battle.core.component import Component
from battle.core.records import NO_HEIGHT, ErrorClass, Outcome
from battle.core.shard import WHOLE, Shard
from battle.core.witness import NOTHING_SAID, Testimony, Witness


@dataclass(slots=True)
class Call:
    """One request on its way: filled in by the dispatcher, completed by the session, written down by the recorder.

    `offered_ns` is when it was handed to the session: its timeout counts from there. `then` is told of its end.
    """

    key: int
    template: int
    scheduled_ns: int
    phase: int = 0
    user: int = 0
    offered_ns: int = 0
    started_ns: int = 0
    ended_ns: int = 0
    outcome: Outcome = Outcome.UNFINISHED
    error: ErrorClass = ErrorClass.NONE
    status: int = 0
    rpc_code: int = 0
    height: int = NO_HEIGHT
    connection: int = 0
    flags: int = 0
    testimony: Testimony = NOTHING_SAID
    then: "Callable[[Call], None] | None" = None


@dataclass(slots=True)
class BatchCall(Call):
    """A batch on its way: its first call, which stands for the HTTP request, and the others behind it.

    A session sees to the first alone. A judge completes all of them; where there was nothing to judge, the others share
    the first one's end.
    """

    others: tuple[Call, ...] = ()


class Session(Protocol):
    """Sends rendered requests and reports each one exactly once."""

    def send(self, call: Call) -> None:
        """Send it as soon as a connection is free; `report(call)` is called when it has ended."""

    def cancel(self) -> None:
        """End all that is in flight now, with outcome CANCELLED."""

    async def close(self) -> None:
        """Close all connections."""


DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens, and the URL's path in front of every request path.

    It is host and port on TCP, with TLS when `secure`; or, when `socket` is set, the Unix socket of this file name.
    """

    host: str
    port: int
    path: str = ""
    secure: bool = False
    socket: str = ""

    def __str__(self) -> str:
        return f"unix:{self.socket}" if self.socket else f"{self._bracketed}:{self.port}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        """What the Host header says: the port only where it is not the scheme's own (RFC 9110, 4.2)."""
        if self.socket or self.port == DEFAULT_PORTS[self.scheme]:
            return self._bracketed
        return f"{self._bracketed}:{self.port}"

    @property
    def scheme(self) -> str:
        """The URL's scheme: http or https."""
        return "https" if self.secure else "http"

    @property
    def url(self) -> str:
        """The endpoint as a URL; over a Unix socket, as one asks there."""
        return f"{self.scheme}://{self.authority}{self.path}"


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What a session must know of its stream.

    `stream` is a core.scenario.Stream; its templates are numbered from `first_template` in the records. `chain_id` is
    the chain that answers must be from, None when unknown. `rows` are the CSV files that its requests take rows from,
    by their paths: open, and shared by the templates of the stream. `shard` is the share of the stream, and of those
    rows, that this session sends.
    """

    stream: Any
    first_template: int
    seed: int
    witness: Witness | None = None
    chain_id: int | None = None
    shard: Shard = WHOLE
    rows: dict[str, Any] = field(default_factory=dict)

    @property
    def key_step(self) -> int:
        """How far apart the keys of a batch's calls are."""
        return self.shard.of

    @property
    def requests(self) -> dict[int, Any]:
        """The requests of the stream, by the number that a call of theirs has as its template."""
        numbered: dict[int, Any] = self.stream.numbered(self.first_template)
        return numbered


class LoadProtocol(Component):
    """How requests travel."""

    room: ClassVar[str] = "protocols"

    def require(self) -> None:
        """Look whether this machine has what the protocol needs. Raises MissingDependency."""

    def session(self, endpoint: Endpoint, plan: StreamPlan, report: Callable[[Call], None]) -> Session:
        """A session for one stream, inside the running event loop. `report` is called once for each call."""
        raise NotImplementedError
