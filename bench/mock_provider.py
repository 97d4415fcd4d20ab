"""How many requests a second one mock provider serves on one core, with recording, without latency.

    python bench/mock_provider.py [--seconds 3] [--rounds 5]

The provider is pinned to one core, the generator (wrk; without it nothing is measured) to another. CPU time a request
is given too: others that use the machine disturb it less.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from battle.core.keys import key_base
from battle.system.addresses import free_port, in_use

BASE = key_base(1)
LUA = """local requests = {}
local n = 0
init = function()
  for i = 1, 4096 do  -- rendered beforehand: otherwise the generator is what is measured
    local key = string.format("%014x", KEY + i)
    requests[i] = wrk.format("POST", nil, {
      ["content-type"] = "application/json",
      traceparent = "00-ba771e000000000000" .. key .. "-00" .. key .. "-01",
    }, string.format('{"jsonrpc":"2.0","id":%d,"method":"eth_blockNumber","params":[]}', KEY + i))
  end
end
request = function()
  n = n % 4096 + 1
  return requests[n]
end
"""


def start_provider(directory: Path, port: int) -> "subprocess.Popen[bytes]":
    settings = {
        "name": "alpha", "index": 0, "incarnation": 1, "seed": 1, "host": "127.0.0.1", "port": port, "latency_ns": 0,
        "jitter_ns": 0, "error_rate": 0.0, "block_time_ns": 1_000_000_000, "skew": 0, "chain_id": 1, "methods": {},
        "key_base": BASE, "genesis_ns": time.monotonic_ns(), "records": str(directory / "records"),
        "socket": str(directory / "control.sock"), "effects": {},
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "battle.providers.mock_server"], stdin=subprocess.PIPE)
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    assert process.stdin is not None
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    process.stdin.flush()
    while not in_use(port):
        time.sleep(0.01)
    return process


def wrk(directory: Path, port: int, seconds: int) -> tuple[float, int]:
    """Requests a second, and requests."""
    script = directory / "calls.lua"
    script.write_text(LUA.replace("KEY", str(BASE)))
    argv = ["wrk", "-t1", "-c50", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/"]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    )
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    count = re.search(r"(\d+) requests in", done.stdout)
    assert rate, done.stdout
    assert count, done.stdout
    assert "Non-2xx" not in done.stdout, done.stdout
    return float(rate[1]), int(count[1])


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    if shutil.which("wrk") is None:
        print("skipped: wrk is not installed (apt-get install wrk)")
        return
    rates = []
    costs = []
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as name:
            port = free_port()
            provider = start_provider(Path(name), port)
            try:
                before = cpu_s(provider.pid)
                rate, count = wrk(Path(name), port, chosen.seconds)
                rates.append(rate)
                costs.append((cpu_s(provider.pid) - before) / count)
            finally:
                provider.kill()
                provider.wait()
    print(f"mock provider, one core, recording: median {statistics.median(rates):,.0f} req/s")
    cost = statistics.median(costs)
    print(f"{cost * 1e6:.1f} µs of CPU a request: {1 / cost:,.0f} requests in a second of CPU time")
    print(f"({min(rates):,.0f} … {max(rates):,.0f} in {len(rates)} rounds; wrk with 50 connections on the other core)")


if __name__ == "__main__":
    main()
