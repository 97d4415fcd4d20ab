"""Proxies, and what they say of themselves."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import Field, model_validator

from battle.core.component import Component
from battle.core.ports.part import Part
from battle.core.ports.processes import Context
from battle.core.ports.provider import ProviderHandle
from battle.core.ports.wire import Endpoint
from battle.core.units import NS_PER_S, Duration
from battle.core.witness import Witness


class BreakerSettings(Part):
    """When the proxy takes a provider out of rotation, and for how long."""

    failures: int = Field(default=5, ge=1)
    open_for: Duration = 5 * NS_PER_S


class HealthCheck(Part):
    """Active checks by POST of a JSON-RPC method."""

    every: Duration = NS_PER_S
    method: str = "eth_blockNumber"


class ProxyHandle(Protocol):
    """A proxy that runs."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the load goes."""

    @property
    def version(self) -> str:
        """Name and version, for the report."""

    @property
    def pid(self) -> int | None:
        """The root of its process tree, None when battle did not start it."""

    @property
    def witness(self) -> Witness | None:
        """How its answers tell who served; None when they do not."""


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A provider went out of rotation, or came back, by what the proxy itself says."""

    at_ns: int
    provider: str
    state: Literal["open", "closed", "half_open"]
    source: str


@runtime_checkable
class BreakerReadable(Protocol):
    """Ability: the proxy's own word on its breakers can be followed."""

    def breaker_changes(self) -> AsyncIterator[BreakerChange]:
        """Changes as they happen, until cancelled."""


class Proxy(Component):
    """The system under test."""

    room: ClassVar[str] = "proxies"
    common: ClassVar[tuple[str, ...]] = ("attempts", "attempt_timeout", "breaker", "strategy", "health_check")
    honours: ClassVar[frozenset[str]] = frozenset()
    """Which of the common settings this kind carries out."""
    tells_breakers: ClassVar[bool] = False
    """Whether its handle is BreakerReadable; of the others the analysis infers the breakers from the traffic."""
    options_type: ClassVar[type[Part] | None] = None
    """The model of what stands under `options: {<kind>: …}`."""

    attempts: int = Field(default=3, ge=1, le=20)
    attempt_timeout: Duration = NS_PER_S // 2
    breaker: BreakerSettings | None = BreakerSettings()
    strategy: Literal["round_robin", "least_request", "priority"] = "round_robin"
    health_check: HealthCheck | None = None
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    template: Path | None = None

    @model_validator(mode="after")
    def _check_options(self) -> "Proxy":
        if self.options_type is not None:
            self.options_type.model_validate(self.options.get(self.kind, {}))
        return self

    @property
    def serves_tls(self) -> bool:
        """Whether the load reaches it over TLS."""
        return False

    def not_honoured(self) -> list[str]:
        """Common settings that were written and that this kind cannot carry out."""
        return [key for key in self.common if key in self.model_fields_set and key not in self.honours]

    def start(self, providers: list[ProviderHandle], context: Context) -> AbstractAsyncContextManager[ProxyHandle]:
        """Configure and start it in front of providers that already listen. Raises SetupError."""
        raise NotImplementedError


@runtime_checkable
class Endable(Protocol):
    """Ability: battle started it, and can tell when it ends."""

    async def wait(self) -> int:
        """Wait for its end; gives the exit code, or minus the signal."""
