"""Looking at a provider on its data path, on connections that have nothing to do with the load."""

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import anyio
import httptools

from battle.core.keys import PROBE_ID
from battle.core.ports.fault import Probe, ProbeOutcome
from battle.core.ports.wire import Endpoint
from battle.core.units import NS_PER_MS, NS_PER_S

EVERY_NS = 10 * NS_PER_MS
"""A new probe leaves this often, whether or not the one before has ended."""
_READ_BYTES = 65536
_FIRST_LOOKS = 5


class _Answer:
    """Collects one HTTP answer."""

    def __init__(self) -> None:
        self.body = b""
        self.done = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.done = True


class Prober:
    """Probes one provider. `healthy_ns` is the median time of its answers before any fault; 0 until `settle` ran."""

    def __init__(self, endpoint: Endpoint, method: str = "eth_blockNumber") -> None:
        self._endpoint = endpoint
        self.healthy_ns = 0
        body = json.dumps({"jsonrpc": "2.0", "id": PROBE_ID, "method": method, "params": []}).encode()
        head = (
            f"POST {endpoint.path or '/'} HTTP/1.1\r\nhost: {endpoint}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self._request = head.encode() + body

    async def settle(self) -> None:
        """Learn how long a healthy answer takes."""
        probes = [await self.once(2 * NS_PER_S) for _ in range(_FIRST_LOOKS)]
        times = [probe.elapsed_ns for probe in probes if probe.outcome is ProbeOutcome.ANSWERED]
        self.healthy_ns = round(median(times)) if times else 0

    async def once(self, silence_ns: int) -> Probe:
        """One probe; it counts as SILENT when there is no answer within `silence_ns`."""
        sent = time.monotonic_ns()
        outcome, status, body = ProbeOutcome.SILENT, 0, None
        with anyio.move_on_after(silence_ns / NS_PER_S):
            outcome, status, body = await self._converse()
        return Probe(sent, time.monotonic_ns(), outcome, status, body, self.healthy_ns)

    async def _converse(self) -> tuple[ProbeOutcome, int, Any]:
        try:
            stream = await anyio.connect_tcp(self._endpoint.host, self._endpoint.port)
        except OSError:
            return ProbeOutcome.REFUSED, 0, None
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        try:
            async with stream:
                await stream.send(self._request)
                while not answer.done:
                    parser.feed_data(await stream.receive(_READ_BYTES))
        except (OSError, anyio.EndOfStream, anyio.BrokenResourceError, httptools.HttpParserError):
            return ProbeOutcome.BROKEN, 0, None
        return ProbeOutcome.ANSWERED, parser.get_status_code(), _parse(answer.body)

    async def watch(
        self, tells: Callable[[Probe], bool | None], wanted: bool, silence_ns: int, go_on: Callable[[], bool]
    ) -> Probe | None:
        """Probe every 10 ms until one tells what is wanted; gives that probe.

        None when `go_on` said no before, and the probes that were under way then did not tell it either.
        """
        found: list[Probe] = []
        async with anyio.create_task_group() as group:

            async def look() -> None:
                probe = await self.once(silence_ns)
                if tells(probe) is wanted:
                    found.append(probe)
                    group.cancel_scope.cancel()

            while go_on():
                group.start_soon(look)
                await anyio.sleep(EVERY_NS / NS_PER_S)
        return min(found, key=lambda probe: probe.sent_ns, default=None)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
