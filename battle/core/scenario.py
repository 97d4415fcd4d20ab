"""The scenario: what to start, what load to send, what to break and when, and what must hold."""

from functools import cached_property
from itertools import accumulate
from typing import Annotated, Any, Literal, NamedTuple, cast

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from battle.core.access import Auth, Tls
from battle.core.component import build_again, rooms
from battle.core.names import Name
from battle.core.objective import Objective, from_legacy
from battle.core.ports.fault import Fault, RandomTarget
from battle.core.ports.load import ClosedPattern, OpenPattern, Pattern, ScriptedPattern
from battle.core.ports.part import Part
from battle.core.ports.provider import Provider
from battle.core.ports.proxy import Proxy
from battle.core.ports.wire import LoadProtocol
from battle.core.recording import MOST_TEMPLATES
from battle.core.seeds import chooser
from battle.core.units import NS_PER_S, Duration, Size

MOST_CALLS = 100
"""The longest batch: providers refuse longer ones, and it is more likely a slip."""
MASK = "***"
"""What a stored scenario holds in the place of a value from the environment."""


class Expect(Part):
    """What an answer must be to count as ok."""

    status: int | list[int] | None = None
    result_matches: str | None = None
    json_: dict[str, Any] | None = Field(default=None, alias="json")
    max_bytes: Size | None = None
    id: Literal["any"] | None = None
    error: list[int] | Literal["any"] | None = None


class RpcCall(Part):
    """A JSON-RPC call. `write: true` marks what must not be executed twice."""

    method: str
    params: list[Any] | dict[str, Any] = Field(default_factory=list)
    write: bool = False
    expect: Expect = Expect()

    @property
    def label(self) -> str:
        """The name that reports group it under."""
        return self.method


class RpcRequest(RpcCall):
    """A JSON-RPC call by itself."""

    weight: float = Field(default=1, ge=0)

    @property
    def calls(self) -> "list[RpcRequest]":
        """What is judged on its own: the call."""
        return [self]


class BatchRequest(Part):
    """JSON-RPC calls in one HTTP request. Each is judged on its own, and the whole is timed."""

    batch: list[RpcCall] = Field(min_length=1, max_length=MOST_CALLS)
    weight: float = Field(default=1, ge=0)

    @field_validator("batch")
    @classmethod
    def _check_ids(cls, batch: list[RpcCall]) -> list[RpcCall]:
        if any(call.expect.id is not None for call in batch):
            raise ValueError("`id: any` cannot be in a batch: its answers are told apart by their ids")
        return batch

    @property
    def calls(self) -> list[RpcCall]:
        """What is judged on its own: each member."""
        return self.batch

    @property
    def label(self) -> str:
        """What it is called where it must be named; reports group its calls under their own labels."""
        return f"batch of {len(self.batch)}"


class HttpRequest(Part):
    """A plain HTTP request."""

    verb: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    path: str = "/"
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    weight: float = Field(default=1, ge=0)
    write: bool = False
    expect: Expect = Expect()

    @property
    def label(self) -> str:
        """The name that reports group it under."""
        return f"{self.verb} {self.path}"

    @property
    def calls(self) -> "list[HttpRequest]":
        """What is judged on its own: the request."""
        return [self]


def _request_form(value: Any) -> str:
    if isinstance(value, dict):
        return "rpc_batch" if "batch" in value else "http" if "verb" in value else "rpc"
    if isinstance(value, BatchRequest):
        return "rpc_batch"
    return "http" if isinstance(value, HttpRequest) else "rpc"


Request = Annotated[
    Annotated[RpcRequest, Tag("rpc")] | Annotated[BatchRequest, Tag("rpc_batch")] | Annotated[HttpRequest, Tag("http")],
    Discriminator(_request_form),
]


def _draws(phase: Pattern) -> bool:
    """Whether a phase sends requests that are drawn by weight."""
    if isinstance(phase, ScriptedPattern):
        return phase.shares().get(None, 0) > 0
    return not isinstance(phase, OpenPattern) or phase.planned() > 0


def _one_or_more(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Stream(Part):
    """One flow of requests, on its own schedule."""

    protocol: LoadProtocol = Field(default_factory=lambda: LoadProtocol.named("http"))
    path: str = "/"
    headers: dict[str, str] = Field(default_factory=dict)
    auth: Auth | None = None
    tls: Tls | None = None
    timeout: Duration = 5 * NS_PER_S
    max_in_flight: int | None = Field(default=None, ge=1)
    connections: int | None = Field(default=None, ge=1)
    max_send_lag: Duration | None = None
    retry_on_reuse: bool = False
    allowed_lag: int | None = Field(default=None, ge=0)
    requests: list[Request] = Field(min_length=1)
    load: Annotated[list[Pattern], BeforeValidator(_one_or_more)] = Field(min_length=1)
    max_requests: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _check_auth(self) -> "Stream":
        if self.auth is not None and any(name.lower() == "authorization" for name in self.headers):
            raise ValueError("`auth` gives the authorization header, and `headers` has another one")
        return self

    @model_validator(mode="after")
    def _check_weights(self) -> "Stream":
        if any(map(_draws, self.load)) and not any(request.weight for request in self.requests):
            raise ValueError("no request has a weight above 0, so there is none to draw: add one under `requests`")
        return self

    def numbered(self, first: int) -> dict[int, RpcRequest | BatchRequest | HttpRequest]:
        """Its requests by their templates' numbers, which count from `first`: a batch has one for each of its calls.

        It goes by the first of them.
        """
        sizes = [len(request.calls) for request in self.requests]
        return dict(zip(accumulate(sizes, initial=first), self.requests, strict=False))

    @property
    def duration_ns(self) -> int:
        """How long the load lasts, warm-up included."""
        return sum(phase.duration for phase in self.load)

    @property
    def warmup_ns(self) -> int:
        """How long the leading warm-up phases last."""
        total = 0
        for phase in self.load:
            if not phase.warmup:
                break
            total += phase.duration
        return total

    @property
    def in_flight_limit(self) -> int:
        """`max_in_flight`, or its default: 1.5 × peak rate × timeout, at least 10; users in the closed model."""
        if self.max_in_flight is not None:
            return self.max_in_flight
        peaks = [
            1.5 * phase.peak_per_s() * self.timeout / NS_PER_S for phase in self.load if isinstance(phase, OpenPattern)
        ]
        users = [phase.peak_users() for phase in self.load if isinstance(phase, ClosedPattern)]
        return max(10, *(round(peak) for peak in peaks), *users)

    @property
    def connection_limit(self) -> int:
        """`connections`, or as many as may be in flight."""
        return self.connections or self.in_flight_limit


class Setup(Part):
    """What to start: the providers, and the proxy in front of them."""

    providers: dict[Name, Provider] = Field(default_factory=dict)
    proxy: Proxy = Field(default_factory=lambda: Proxy.named("none"))
    strict: bool = False

    @field_validator("proxy", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value


class Template(NamedTuple):
    """One call that a stream can send: a request, or a member of a batch.

    Its position in `Scenario.templates` is its number in the records.
    """

    stream: int
    label: str
    request: RpcCall | HttpRequest


class Scenario(Part):
    """The whole file. `seed` decides every random choice of the run."""

    version: Literal[1] = 1
    name: str = Field(min_length=1)
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    seed: int = 1
    vars: dict[str, Any] = Field(default_factory=dict)
    setup: Setup = Field(default_factory=Setup)
    workload: dict[Name, Stream] = Field(min_length=1)
    chaos: dict[Name, Fault] = Field(default_factory=dict)
    slo: list[Objective] = Field(default_factory=list)

    @field_validator("slo", mode="before")
    @classmethod
    def _legacy_slo(cls, value: Any) -> Any:
        return from_legacy(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _check_size(self) -> "Scenario":
        if len(self.chaos) > 32:  # noqa: PLR2004  (the bits of records.ATTEMPT.faults)
            raise ValueError("a scenario can hold at most 32 faults")
        if len(self.setup.providers) > 250:  # noqa: PLR2004  (record fields of one byte)
            raise ValueError("a scenario can hold at most 250 providers")
        if len(self.templates) > MOST_TEMPLATES:
            raise ValueError(
                f"a scenario can hold at most {MOST_TEMPLATES:,} requests, and this one has {len(self.templates):,}, "
                "those of its recordings included"
            )
        return self

    @cached_property
    def templates(self) -> list[Template]:
        """All calls of all streams, in the order of the file."""
        return [
            Template(index, call.label, call)
            for index, stream in enumerate(self.workload.values())
            for request in stream.requests
            for call in request.calls
        ]

    @cached_property
    def has_batches(self) -> bool:
        """Whether an HTTP request can hold other than one call."""
        return any(isinstance(one, BatchRequest) for stream in self.workload.values() for one in stream.requests)

    @property
    def provider_names(self) -> list[str]:
        """Providers in the order of the file; the position is the index in the records."""
        return list(self.setup.providers)

    @property
    def fault_numbers(self) -> dict[str, int]:
        """Each fault's number: its bit in the providers' records."""
        return {name: number for number, name in enumerate(self.chaos)}

    @property
    def warmup_ns(self) -> int:
        """From the start of the load to t0: the longest leading warm-up of any stream."""
        return max(stream.warmup_ns for stream in self.workload.values())

    @property
    def load_ns(self) -> int:
        """From the start of the load to its planned end."""
        return max(stream.duration_ns for stream in self.workload.values())

    def targets_of(self, fault_name: str) -> list[str]:
        """The providers (or "proxy") that a fault aims at; random ones are drawn by the seed."""
        target = self.chaos[fault_name].target
        if isinstance(target, RandomTarget):
            names = self.provider_names
            return sorted(
                chooser(self.seed, "target", fault_name).sample(names, min(target.random, len(names))), key=names.index
            )
        if isinstance(target, list):
            return target
        return self.provider_names if target == "all" else [target]


def rebuild() -> None:
    """Have the models know every kind that is entered now. Call it after importing the rooms."""
    build_again(member for members in rooms().values() for member in members.values())
    build_again((Stream, Setup, Scenario))


def phase_names(stream: Stream) -> list[str]:
    """What the phases of a stream are called: their names, else kind and position ("poisson-2")."""
    return [cast("str", phase.name) or f"{phase.kind}-{index + 1}" for index, phase in enumerate(stream.load)]
