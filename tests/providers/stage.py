"""A stage for provider tests: a real launcher, a journal that is kept, and raw HTTP."""

import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from battle.core.journal import Event, EventKind
from battle.core.keys import key_base
from battle.core.ports.processes import Context
from battle.core.ports.provider import Provider
from battle.core.ports.wire import Endpoint
from battle.core.records import ATTEMPT, Attempts
from battle.system.launching import ProcessLauncher
from battle.system.mapped import MappedReader
from battle.system.undo import UndoJournal

BASE = key_base(77)
RUN = "20261123T000000Z-stage-abcdef"


class Stage:
    """What tests of providers need."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.events: list[Event] = []
        sockets = directory / "s"
        sockets.mkdir()
        self.context = Context(
            run_dir=directory,
            launcher=ProcessLauncher(UndoJournal(directory / "undo.jsonl", RUN), RUN),
            seed=1,
            key_base=BASE,
            genesis_ns=time.monotonic_ns(),
            socket_dir=sockets,
            note=self.note,
            provider_names=("alpha", "beta"),
        )

    def note(self, kind: EventKind, at_ns: int | None = None, **fields: Any) -> None:
        self.events.append(Event(at_ns or time.monotonic_ns(), kind, fields))

    def attempts(self, handle: Any) -> Attempts:
        found = [MappedReader(path, ATTEMPT).written("arrived_ns") for path in handle.records]
        return np.concatenate(found)

    def ends(self) -> list[tuple[bool, int]]:
        return [(e.fields["planned"], e.fields["status"]) for e in self.events if e.kind is EventKind.PROVIDER_ENDED]


@asynccontextmanager
async def started(directory: Path, **settings: Any) -> AsyncIterator[tuple[Stage, Any]]:
    """A mock called alpha that runs."""
    stage = Stage(directory)
    async with Provider.named("mock", **settings).start("alpha", stage.context) as handle:
        yield stage, handle


def request(key: Any, method: str = "eth_blockNumber", params: list[Any] | None = None, headers: str = "") -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": key, "method": method, "params": params or []})
    return raw(body.encode(), headers)


def raw(body: bytes, headers: str = "") -> bytes:
    head = f"POST / HTTP/1.1\r\nhost: x\r\n{headers}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Peer:
    """One raw connection to a provider."""

    def __init__(self, endpoint: Endpoint, timeout: float = 5) -> None:
        self._socket = socket.create_connection((endpoint.host, endpoint.port), timeout=timeout)
        self._file = self._socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and the JSON body of the next answer. Raises TimeoutError, EOFError."""
        first = self._file.readline()
        if not first:
            raise EOFError
        headers = {}
        while (line := self._file.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self._file.read(int(headers["content-length"]))
        return int(first.split()[1]), headers, json.loads(body) if body else None

    def ask(self, key: Any, **kind: Any) -> tuple[int, dict[str, str], Any]:
        self.send(request(key, **kind))
        return self.read()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
