"""The load generator's own quality: its lateness, what it saw of itself, and how far it was from what it can do."""

from typing import Any

import numpy as np

from battle.analysis.lateness import planned_arrivals
from battle.analysis.reading import Reading, Selection
from battle.analysis.samples import cpu_share, samples_of
from battle.analysis.statistics import in_ms, percentiles
from battle.core.calibration import Calibration, Sustained
from battle.core.journal import EventKind
from battle.core.ports.load import ClosedPattern
from battle.core.run import GeneratorResources
from battle.core.units import NS_PER_S

_MB = 1_000_000


def generator_section(reading: Reading) -> GeneratorResources:
    """How well the generator kept its schedule, what kept it, and what it used."""
    window = reading.windows.run()
    mask, columns = reading.requests(Selection(window)), reading.columns
    lag50, lag99, lag_max = percentiles(columns.send_lag_ns(mask), (50, 99, 100), in_place=True)
    waits = columns.connection_wait_ns(mask)
    wait99, wait_max = percentiles(waits, (99, 100), in_place=True)
    samples = samples_of(reading.evidence, "generator", window)
    workers = reading.evidence.workers
    each = range(workers) if workers > 1 else ()
    memory = [one.values["rss_bytes"] for one in samples if "rss_bytes" in one.values]
    return GeneratorResources(
        send_lag_p50_ms=in_ms(lag50),
        send_lag_p99_ms=in_ms(lag99),
        send_lag_max_ms=in_ms(lag_max),
        waited=len(waits),
        connection_wait_p99_ms=in_ms(wait99),
        connection_wait_max_ms=in_ms(wait_max),
        workers=workers,
        cpu_percent_mean=_percent(cpu_share(samples)),
        cpu_percent_by_worker=[_percent(cpu_share(samples, worker)) for worker in each],
        peak_memory_mb=round(max(memory) / _MB, 3) if memory else None,
        planned=planned_arrivals(reading),
        sent=int(np.count_nonzero(reading.in_run & columns.sent & columns.leads)),
        peak_per_s=_peak_per_s(reading),
        **_itself(reading),
        **_calibrated(reading),
    )


def _itself(reading: Reading) -> dict[str, Any]:
    """What the workers saw of themselves: of lags the worst worker's, the rest summed up. Nothing when none told."""
    told = [event.fields for event in reading.evidence.of_kind(EventKind.GENERATOR)]

    def known(name: str) -> list[Any]:
        return [fields[name] for fields in told if fields.get(name) is not None]

    return {
        "event_loop_lag_p99_ms": in_ms(max(known("loop_lag_p99_ns"), default=None)),
        "event_loop_lag_max_ms": in_ms(max(known("loop_lag_max_ns"), default=None)),
        "event_loop_lags_over_limit": _sum(known("loop_lags_over_limit")),
        "gc_off": all(known("gc_off")) if told else None,
        "gc_collections": _sum(known("gc_collections")),
        "preempted": _sum(known("preempted")),
        "major_faults": _sum(known("major_faults")),
    }


def _sum(values: list[Any]) -> int | None:
    return sum(values) if values else None


def _peak_per_s(reading: Reading) -> int | None:
    """The most requests of one second after the warm-up, by their schedule; dropped ones left out."""
    seconds = np.zeros(1, np.int64)
    for place, part in reading.columns.parts():
        due = part.scheduled_ns[reading.in_run[place] & part.sent & part.leads]
        found = np.bincount((due - reading.t0_ns) // NS_PER_S, minlength=len(seconds))
        found[: len(seconds)] += seconds
        seconds = found
    return int(seconds.max()) or None


def _calibrated(reading: Reading) -> dict[str, Any]:
    """What the machine was known to sustain when the run began: for its model of load and its number of workers."""
    event = reading.evidence.first(EventKind.CALIBRATION)
    if event is None:
        return {}
    fields = dict(event.fields)
    stale = fields.pop("stale", None)
    found = Calibration.model_validate(fields)
    sustained: Sustained = found.one if reading.evidence.workers == 1 else found.all_cores
    phases = [phase for stream in reading.scenario.workload.values() for phase in stream.load]
    closed = any(isinstance(phase, ClosedPattern) for phase in phases)
    return {
        "calibrated_per_s": sustained.closed_per_s if closed else sustained.open_per_s,
        "calibrated_at": found.calibrated_at,
        "calibration_stale": stale,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)
