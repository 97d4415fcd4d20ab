"""A proxy that already runs."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from battle.core.ports.part import Part
from battle.core.ports.processes import Context
from battle.core.ports.provider import ProviderHandle
from battle.core.ports.proxy import Proxy, ProxyHandle
from battle.core.ports.wire import Endpoint
from battle.core.witness import Witness


class WitnessSettings(Part):
    """The response header that says who served: a provider's name or its address, picked out by `pattern`'s group 1."""

    header: str = Field(min_length=1)
    pattern: str | None = None

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                groups = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"{value!r} is not a regular expression: {error}") from error
            if not groups:
                raise ValueError(f"{value!r} has no group; put what names the provider in parentheses")
        return value

    def witness(self, providers: list[ProviderHandle]) -> Witness:
        """How answers tell who served."""
        names = {provider.name: index for index, provider in enumerate(providers)}
        addresses = {str(provider.endpoint): index for index, provider in enumerate(providers)}
        return Witness(self.header, addresses | names, pattern=self.pattern)


@dataclass(frozen=True, slots=True)
class AlreadyRunning:
    """A server that somebody else started (core.ports.proxy.ProxyHandle)."""

    endpoint: Endpoint
    witness: Witness | None
    version: str = "url"
    pid: int | None = None


class UrlProxy(Proxy):
    """A proxy, or any server, that already runs; battle neither configures nor ends it."""

    example: ClassVar[str] = "{kind: url, url: http://127.0.0.1:8545, witness: {header: x-upstream}}"

    kind: Literal["url"] = "url"
    url: str
    witness: WitnessSettings | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme == "https":
            raise ValueError("https is not supported yet; give the http address of the proxy")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{value!r} is not an http URL; write it like http://127.0.0.1:8545")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("the URL may have a host, a port and a path only")
        if parts.port == 0:  # also raises ValueError for what is no port
            raise ValueError("port 0 is no address")
        return value

    @property
    def endpoint(self) -> Endpoint:
        """Host, port and path of the URL."""
        parts = urlsplit(self.url)
        return Endpoint(parts.hostname or "", parts.port or 80, parts.path.rstrip("/"))

    @asynccontextmanager
    async def start(self, providers: list[ProviderHandle], context: Context) -> AsyncIterator[ProxyHandle]:
        """Nothing is started."""
        del context
        yield AlreadyRunning(self.endpoint, self.witness.witness(providers) if self.witness else None)
