"""A provider that already runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import field_validator

from battle.core.ports.processes import Context
from battle.core.ports.provider import Provider
from battle.core.ports.wire import Endpoint
from battle.errors import SetupError
from battle.system.addresses import accepts


@dataclass(frozen=True, slots=True)
class UrlHandle:
    """Where it is; nothing can be done to it."""

    name: str
    endpoint: Endpoint


class Url(Provider):
    """A provider that already runs at a URL. Battle can neither disturb it nor see what reaches it."""

    example: ClassVar[str] = '{kind: url, url: "http://127.0.0.1:8545"}'

    kind: Literal["url"] = "url"
    url: str

    @field_validator("url")
    @classmethod
    def _check(cls, text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{text!r} is not a URL of the form http://host:port/path")
        return text

    @asynccontextmanager
    async def start(self, name: str, context: Context) -> AsyncIterator[UrlHandle]:
        """Look whether it listens. Raises SetupError."""
        del context
        parts = urlsplit(self.url)
        endpoint = Endpoint(str(parts.hostname), parts.port or 80, parts.path.rstrip("/"))
        if not await accepts(endpoint):
            raise SetupError(f"{name}: nothing listens at {self.url}", hint="start it first, or correct the URL")
        yield UrlHandle(name, endpoint)
