"""One mock provider on one core, with recording, without latency: requests a second that wrk gets out of it."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from battle.core.keys import key_base
from battle.core.records import ATTEMPT
from battle.engine.execution import draw_key_base
from battle.system.mapped import MappedReader
from bench.figures import Measured, Row, Target
from bench.machine import cpu_ns
from bench.options import Options
from bench.peers import WRK
from bench.provider import mock_provider

_KEYED = """local requests = {}
local n = 0
init = function()
  for i = 1, 4096 do  -- rendered beforehand: otherwise the generator is what is measured
    requests[i] = wrk.format("POST", nil, {
      ["content-type"] = "application/json",
      traceparent = string.format("00-ba771e000000000000%014x-ba771e0000000001-01", KEY + i),
    }, string.format('{"jsonrpc":"2.0","id":%d,"method":"eth_blockNumber","params":[]}', KEY + i))
  end
end
request = function()
  n = n % 4096 + 1
  return requests[n]
end
"""
_NAMES = ("mock provider, recording", "mock provider")


def measure(options: Options) -> Measured:
    """Each round starts a provider of its own."""
    if absent := WRK.why_absent():
        return Measured([Row(name, "req/s", skipped=absent) for name in _NAMES])
    rounds = [anyio.run(_round, options.seconds) for _ in range(options.rounds)]
    return Measured(
        [
            Row(_NAMES[0], "req/s", [one["per_s"] for one in rounds], Target(">=", 50_000)),
            Row(_NAMES[1], "µs CPU/req", [one["cpu_us"] for one in rounds]),
        ],
        rounds,
    )


async def _round(seconds: float) -> dict[str, Any]:
    base = key_base(draw_key_base())
    wrk = replace(WRK, script=_KEYED.replace("KEY", str(base)))
    with tempfile.TemporaryDirectory(prefix="bench-provider-") as name:
        directory = Path(name)
        async with mock_provider(directory, base) as provider:
            before = cpu_ns(provider.pid)
            reached = await anyio.to_thread.run_sync(wrk.run, directory, provider.url, seconds)
            used = cpu_ns(provider.pid) - before
        recorded = MappedReader(provider.records, ATTEMPT).written("key")
    if len(recorded) < reached.per_s * seconds * 0.9:
        raise RuntimeError(f"only {len(recorded)} arrivals were recorded with their key")
    return {"per_s": reached.per_s, "cpu_us": used / 1e3 / len(recorded)}
