"""No proxy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal

from battle.core.ports.processes import Context
from battle.core.ports.provider import ProviderHandle
from battle.core.ports.proxy import Proxy, ProxyHandle
from battle.core.ports.wire import Endpoint
from battle.errors import SetupError


@dataclass(frozen=True, slots=True)
class Straight:
    """The first provider itself (core.ports.proxy.ProxyHandle)."""

    endpoint: Endpoint
    version: str = "none"
    pid: int | None = None
    witness: None = None


class NoProxy(Proxy):
    """No proxy: the load goes straight to the first provider, to show what happens without failover."""

    example: ClassVar[str] = "proxy: none"

    kind: Literal["none"] = "none"

    @asynccontextmanager
    async def start(self, providers: list[ProviderHandle], context: Context) -> AsyncIterator[ProxyHandle]:
        """Nothing is started. Raises SetupError when there is no provider."""
        del context
        if not providers:
            raise SetupError(
                "there is nothing to send load to: no provider, and no proxy",
                hint="add a provider, or `proxy: {kind: url, url: …}` for a server that already runs",
            )
        yield Straight(providers[0].endpoint)
