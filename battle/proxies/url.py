"""A proxy that already runs."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import SplitResult, unquote, urlsplit

import anyio
from pydantic import Field, field_validator

from battle.core.ports.part import Part
from battle.core.ports.processes import Context
from battle.core.ports.provider import ProviderHandle
from battle.core.ports.proxy import Proxy, ProxyHandle
from battle.core.ports.wire import DEFAULT_PORTS, Endpoint
from battle.core.witness import Witness
from battle.errors import SetupError
from battle.system.addresses import accepts

_UNIX = frozenset({"unix", "http+unix"})
_LONGEST_SOCKET_BYTES = 107
"""Room in sockaddr_un, less its final zero."""
_PATIENCE_S = 2.0


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
        if parts.username or parts.password:
            raise ValueError("the URL may have a host, a port and a path only; user and password are a stream's `auth`")
        if parts.query or parts.fragment:
            raise ValueError("the URL may have a host, a port and a path only")
        if parts.scheme in _UNIX:
            _check_socket(_socket_of(parts))
        elif parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{value!r} is not an http URL; write http://127.0.0.1:8545, or unix:/run/proxy.sock")
        elif not _can_be_name(parts.hostname):
            raise ValueError(f"{parts.hostname!r} is no name of a host")
        elif parts.port == 0:  # also raises ValueError for what is no port
            raise ValueError("port 0 is no address")
        return value

    @property
    def endpoint(self) -> Endpoint:
        """Where the URL points."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        if parts.scheme in _UNIX:
            return Endpoint("localhost", 0, path if parts.scheme == "http+unix" else "", socket=_socket_of(parts))
        secure = parts.scheme == "https"
        return Endpoint(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme], path, secure=secure)

    @property
    def serves_tls(self) -> bool:
        """As the URL says."""
        return self.endpoint.secure

    @asynccontextmanager
    async def start(self, providers: list[ProviderHandle], context: Context) -> AsyncIterator[ProxyHandle]:
        """Nothing is started. Raises SetupError when the host's name cannot be resolved.

        That nobody listens yet is no error: the scenario may be about a proxy that is down. The report says so.
        """
        if not self.endpoint.socket:
            await _resolve(self.endpoint.host, self.endpoint.port)
        accepted = False
        with anyio.move_on_after(_PATIENCE_S):
            accepted = await accepts(self.endpoint)
        if not accepted:
            context.warn(f"nothing accepts connections at {self.endpoint} as the run begins")
        yield AlreadyRunning(self.endpoint, self.witness.witness(providers) if self.witness else None)


def _socket_of(parts: SplitResult) -> str:
    """The file name in unix:/run/proxy.sock or http+unix://%2Frun%2Fproxy.sock/path."""
    return unquote(parts.netloc) if parts.scheme == "http+unix" else parts.path


def _check_socket(path: str) -> None:
    if not path.startswith("/"):
        raise ValueError("a Unix socket is named by its whole path, like unix:/run/proxy.sock")
    if len(path.encode()) > _LONGEST_SOCKET_BYTES or "\0" in path:
        raise ValueError(f"the name of a Unix socket has at most {_LONGEST_SOCKET_BYTES} bytes")


def _can_be_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


async def _resolve(host: str, port: int) -> None:
    try:
        await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        said = f"the host {host!r} cannot be resolved: {error.strerror}"
        raise SetupError(said, hint="correct `url` under setup.proxy, or give an address") from error
