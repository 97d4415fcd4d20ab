"""A provider of a few lines, for tests of real proxies: it records what arrives and can refuse, hang or answer 500."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from battle.core.ports.processes import Context
from battle.core.ports.proxy import Proxy
from battle.core.ports.wire import Endpoint
from battle.system.addresses import LOOPBACK, free_port
from battle.system.launching import ProcessLauncher
from battle.system.undo import UndoJournal


@dataclass
class TinyProvider:
    name: str
    mode: str = "ok"
    port: int = field(default_factory=free_port)
    arrivals: list[tuple[float, Any]] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(LOOPBACK, self.port)

    def keys(self) -> list[Any]:
        return [body.get("id") for _, body in self.arrivals]

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def refuse(self) -> None:
        """Close the port and every connection, as a killed process does."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = re.search(rb"content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b"{}"
                self.arrivals.append((time.monotonic(), json.loads(body)))
                if self.mode == "hang":
                    await reader.read()
                    return
                status = b"500 Internal Server Error" if self.mode == "500" else b"200 OK"
                answer = json.dumps({"from": self.name}).encode()
                writer.write(b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(answer), answer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


class Stage:
    """Three providers behind a real proxy, and a client."""

    def __init__(self, proxy: Any, providers: list[TinyProvider], client: httpx.AsyncClient) -> None:
        self.proxy = proxy
        self.providers = providers
        self._client = client
        self._key = 0

    async def call(self) -> tuple[int, dict[str, Any], Any]:
        """Send one POST: the status, the JSON of the answer ({} when it is none), and the witness's testimony."""
        self._key += 1
        answer = await self._client.post(self.proxy.endpoint.url, json={"jsonrpc": "2.0", "id": self._key})
        headers = {name.lower(): value for name, value in answer.headers.raw}
        said = self.proxy.witness.read(headers, answer.status_code)
        try:
            return answer.status_code, answer.json(), said
        except ValueError:
            return answer.status_code, {}, said

    async def served(self, calls: int) -> list[str]:
        """Who served, call by call; every call must be answered 200, by the provider that the proxy names."""
        names = []
        for _ in range(calls):
            status, body, said = await self.call()
            assert status == 200
            assert self.providers[said.provider].name == body["from"]
            names.append(body["from"])
        return names


def context_in(path: Path, warnings: list[str] | None = None) -> Context:
    def note(kind: Any, **fields: Any) -> None:
        if warnings is not None:
            warnings.append(fields.get("text", ""))

    launcher = ProcessLauncher(UndoJournal(path / "undo.jsonl", "test-run"), "test-run")
    return Context(path, launcher, seed=1, key_base=0, genesis_ns=0, socket_dir=path, note=note)


@asynccontextmanager
async def staged(path: Path, proxy: Proxy, names: str = "alpha beta gamma") -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        providers = [TinyProvider(name) for name in names.split()]
        for provider in providers:
            await provider.listen()
            stack.push_async_callback(provider.refuse)
        handle = await stack.enter_async_context(proxy.start(list(providers), context_in(path)))
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=10))
        yield Stage(handle, providers, client)
