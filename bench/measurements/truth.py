"""The p99 that battle reports against the provider's own stamps, at half the rate that this machine can keep.

The provider stamps each answer before it is sent; when each request should have started is arithmetic. The difference
of the two is the response time as seen from outside, without any instant that the load worker took.
"""

import math
import tempfile
from pathlib import Path
from typing import Any

import anyio
import numpy as np

from battle.core.record_source import whole
from battle.core.records import ATTEMPT, REQUEST
from bench.figures import Measured, Row, Target
from bench.machine import GENERATOR, SERVER
from bench.options import Options
from bench.provider import mock_provider
from bench.whole import WholeRun, battle_run, load_started
from bench.worker import Load, sending

_LADDER = (2_500, 5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000, 80_000)
_STEP_S = 0.5
_LAG_US = 5_000.0
_WARMUP_S = 0.5
_SHARE, _ALLOWANCE_US = 0.10, 200.0
_JOINED = 0.999


def measure(options: Options) -> Measured:
    """Find the rate, then run the whole program at half of it, once a round."""
    rate = anyio.run(_calibrated) // 2
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="bench-truth-") as name:
            scenario = _scenario(rate, options.seconds)
            run = battle_run(scenario, Path(name), core=SERVER, worker_core=GENERATOR)
            rounds.append(_compare(run, rate, options.seconds))
    allowed = [max(_SHARE * one["provider_p99_us"], _ALLOWANCE_US) for one in rounds]
    off = [abs(one["reported_p99_us"] - one["provider_p99_us"]) for one in rounds]
    return Measured(
        [
            Row(f"response time p99 as reported, at {rate:,}/s", "µs", [one["reported_p99_us"] for one in rounds]),
            Row("the same by the provider's stamps", "µs", [one["provider_p99_us"] for one in rounds]),
            Row("difference", "µs", off),
            Row(
                "difference ÷ the larger of 10 % and 200 µs",
                "×",
                [one / most for one, most in zip(off, allowed, strict=True)],
                Target("<=", 1),
            ),
        ],
        rounds,
    )


async def _calibrated() -> int:
    """The highest rate of the ladder that the worker keeps against the provider, all lower ones included."""
    kept = _LADDER[0]
    for rate in _LADDER:
        if not await _keeps(rate):
            break
        kept = rate
    return kept


async def _keeps(rate: int) -> bool:
    """Whether lag p99 is within 5 ms and nothing is dropped or failed."""
    pattern = {"kind": "constant", "rate": f"{rate}/s"}
    load = Load(0, {"method": "eth_blockNumber"}, pattern, _STEP_S, warmup_s=_STEP_S, stream={"connections": 256})
    with tempfile.TemporaryDirectory(prefix="bench-truth-") as name:
        async with mock_provider(Path(name), load.key_base) as provider:
            try:
                sent = await sending(load.to(provider.port))
            except (RuntimeError, TimeoutError):
                return False
    in_time = sent.requests["ended_ns"].max() < sent.to_ns + _LAG_US * 1e3
    return bool(in_time and sent.counts["dropped"] == 0 and np.percentile(sent.send_lag_us, 99) <= _LAG_US)


def _scenario(rate: int, seconds: float) -> dict[str, Any]:
    phase = {"kind": "constant", "rate": f"{rate}/s"}
    load = [
        {**phase, "duration": f"{round(_WARMUP_S * 1000)}ms", "warmup": True},
        {**phase, "duration": f"{round(seconds * 1000)}ms"},
    ]
    return {
        "name": "Bench",
        "setup": {"providers": {"alpha": {"kind": "mock"}}, "proxy": "none"},
        "workload": {"load": {"connections": 256, "requests": [{"method": "eth_blockNumber"}], "load": load}},
    }


def _compare(run: WholeRun, rate: int, seconds: float) -> dict[str, Any]:
    evidence = run.evidence
    t0_ns = load_started(evidence).fields["t0_ns"]
    base = int(whole(evidence.requests, REQUEST)["key"][0])
    attempts = whole(evidence.attempts, ATTEMPT)
    answered = attempts[attempts["answered_ns"] > 0]
    number = answered["key"].astype(np.int64) - base - math.ceil(_WARMUP_S * rate)
    counted = (number >= 0) & (number < math.ceil(seconds * rate))
    times = answered["answered_ns"][counted] - t0_ns - number[counted] * 1e9 / rate
    if len(times) < _JOINED * seconds * rate:
        raise RuntimeError(f"the provider answered only {len(times)} of {seconds * rate:.0f} requests")
    reported = run.directory.load_run().analysis.requests.p99_latency_ms
    if reported is None:
        raise RuntimeError("battle reports no p99")
    return {"rate": rate, "reported_p99_us": reported * 1e3, "provider_p99_us": float(np.percentile(times, 99)) / 1e3}
