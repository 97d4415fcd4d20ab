"""HTTP/2 by httpx: for what the native engine does not speak. Fifty times slower or more, so not for high rates."""

import importlib.util
from collections.abc import Callable
from typing import ClassVar, Literal

from battle.core.ports.wire import Call, Endpoint, LoadProtocol, Session, StreamPlan
from battle.errors import MissingDependency


class Httpx(LoadProtocol):
    """HTTP/2 (or HTTP/1.1) by httpx: slow, for what the native engine does not speak."""

    example: ClassVar[str] = "{kind: httpx, http2: true}"

    kind: Literal["httpx"] = "httpx"
    http2: bool = True

    def require(self) -> None:
        """HTTP/2 needs the package h2. Raises MissingDependency."""
        if self.http2 and importlib.util.find_spec("h2") is None:
            raise MissingDependency("the package h2 is not installed", hint="pip install 'battle[http2]'")

    def session(self, endpoint: Endpoint, plan: StreamPlan, report: Callable[[Call], None]) -> Session:
        """One transport of httpx for one stream."""
        from battle.protocols.by_httpx.session import HttpxSession  # noqa: PLC0415  (slow to import)

        return HttpxSession(endpoint, plan, report, http2=self.http2)
