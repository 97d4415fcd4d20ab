"""Battle's own JSON-RPC provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal

from pydantic import Field

from battle.core.ports.part import Part
from battle.core.ports.processes import Context
from battle.core.ports.provider import Faultable, Killable, Pausable, Provider
from battle.core.ports.wire import Endpoint
from battle.core.units import NS_PER_S, Duration, Share
from battle.providers.mock_handle import MockHandle
from battle.system.addresses import LOOPBACK, free_port


class MethodSettings(Part):
    """What one method answers instead of what the chain says."""

    result: Any = None
    latency: Duration = 0
    error: dict[str, Any] | None = None


class Mock(Provider):
    """Battle's own JSON-RPC node: one process, a chain that all mocks of a run share, and a record of every arrival."""

    example: ClassVar[str] = "{kind: mock, latency: 20ms, jitter: 5ms}"
    abilities: ClassVar[tuple[type, ...]] = (Killable, Pausable, Faultable)
    keeps_records: ClassVar[bool] = True

    kind: Literal["mock"] = "mock"
    latency: Duration = 0
    jitter: Duration = 0
    error_rate: Share = 0.0
    block_time: Duration = Field(default=NS_PER_S, gt=0)
    skew: int = Field(default=0, ge=0)
    chain_id: int = Field(default=1, ge=1)
    methods: dict[str, MethodSettings] = Field(default_factory=dict)
    port: int | None = Field(default=None, ge=1, le=65535)

    @asynccontextmanager
    async def start(self, name: str, context: Context) -> AsyncIterator[MockHandle]:
        """Start the process, wait until it serves, and end it when left. Raises SetupError."""
        endpoint = Endpoint(LOOPBACK, self.port or free_port())
        index = context.provider_names.index(name)
        run = {"index": index, "seed": context.seed, "key_base": context.key_base, "genesis_ns": context.genesis_ns}
        handle = MockHandle(name, endpoint, context, {**self.process_settings(), **run})
        async with handle.running():
            yield handle

    def process_settings(self) -> dict[str, Any]:
        """What the process is told of these settings."""
        return {
            "latency_ns": self.latency,
            "jitter_ns": self.jitter,
            "error_rate": self.error_rate,
            "block_time_ns": self.block_time,
            "skew": self.skew,
            "chain_id": self.chain_id,
            "methods": {name: _message(method) for name, method in self.methods.items()},
        }


def _message(method: MethodSettings) -> dict[str, Any]:
    message: dict[str, Any] = {"latency_ns": method.latency}
    if method.error is not None:
        message["error"] = method.error
    if "result" in method.model_fields_set:
        message["result"] = method.result
    return message
