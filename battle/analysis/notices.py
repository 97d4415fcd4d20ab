"""What a reader of the report must know beside the numbers."""

import signal

import numpy as np

from battle.analysis.reading import Reading
from battle.core.journal import Event, EventKind
from battle.core.records import REQUEST_RETRIED
from battle.core.run import Notice
from battle.core.units import NS_PER_MS, format_size


def notices(reading: Reading) -> list[Notice]:
    """Unplanned ends, interruptions, faults that did not go as planned and warnings, in the order of time."""
    found = [notice for event in reading.evidence.events if (notice := _of_event(reading, event))]
    if reading.breakers_inferred:
        text = "the proxy does not tell which providers it takes out of rotation; that is inferred from the traffic"
        found.append(Notice(at_ms=None, level="info", text=text))
    silent = [name for name, one in reading.scenario.setup.providers.items() if not one.keeps_records]
    if silent:
        text = (
            f"{', '.join(silent)} keeps no records: what reached it, amplification and proved failovers cannot be known"
        )
        found.append(Notice(at_ms=None, level="warning", text=text))
    collected = sum(event.fields.get("gc_collections") or 0 for event in reading.evidence.of_kind(EventKind.GENERATOR))
    if collected:
        text = f"the generator collected garbage {collected} × during the load, which it never should"
        found.append(Notice(at_ms=None, level="warning", text=text))
    again = (reading.columns.flags & REQUEST_RETRIED) > 0
    retried = int(np.count_nonzero(reading.in_run & reading.columns.leads & again))
    if retried:
        text = (
            f"{retried:,} requests were sent a second time, since the connection that was used again had been closed "
            "(retry_on_reuse); providers may have seen both"
        )
        found.append(Notice(at_ms=None, level="info", text=text))
    if not reading.provider_numbers:
        text = "the scenario names no providers: failovers cannot be seen"
        found.append(Notice(at_ms=None, level="info", text=text))
    return found


def _of_event(reading: Reading, event: Event) -> Notice | None:  # noqa: C901, PLR0911  (one a kind)
    at_ms = round((event.at_ns - reading.t0_ns) / NS_PER_MS, 3)
    fields = event.fields
    match event.kind:
        case EventKind.PROVIDER_ENDED if fields.get("planned") is False:
            return Notice(at_ms=at_ms, level="error", text=_ended_alone(str(fields.get("provider")), fields, at_ms))
        case EventKind.PROXY_ENDED if fields.get("planned") is False:
            return Notice(at_ms=at_ms, level="error", text=_ended_alone("the proxy", fields, at_ms))
        case EventKind.INTERRUPTED:
            return Notice(at_ms=at_ms, level="error", text=f"interrupted by {fields.get('signal', 'a signal')}")
        case EventKind.FAULT_FAILED:
            text = f"{fields.get('fault')} could not be injected on {fields.get('target')}: {fields.get('why')}"
            return Notice(at_ms=at_ms, level="error", text=text)
        case EventKind.FAULT_NOT_CLEARED:
            text = f"{fields.get('fault')} on {fields.get('target')} was not seen to be gone: {fields.get('why')}"
            return Notice(at_ms=at_ms, level="error", text=text)
        case EventKind.FAULT_UNVERIFIED:
            text = f"{fields.get('fault')} on {fields.get('target')} was not seen to take effect: {fields.get('why')}"
            return Notice(at_ms=at_ms, level="warning", text=text)
        case EventKind.FAULT_SKIPPED:
            text = f"{fields.get('fault')} was skipped: {fields.get('why') or 'its time never came'}"
            return Notice(at_ms=at_ms, level="warning", text=text)
        case EventKind.GUARD_BROKEN:
            return Notice(at_ms=at_ms, level="error", text=f"the guard {fields.get('objective')} was broken")
        case EventKind.EVIDENCE_THINNED:
            return Notice(at_ms=at_ms, level="info", text=_thinned(fields))
        case EventKind.WARNING:
            return Notice(at_ms=at_ms, level="warning", text=str(fields.get("text")))
        case _:
            return None


def _thinned(fields: dict[str, object]) -> str:
    size, limit = (format_size(float(f"{fields.get(name, 0):.3g}")) for name in ("bytes", "limit_bytes"))
    telling, sampled, plain = (f"{fields.get(name, 0):,}" for name in ("telling", "sampled", "plain"))
    return (
        f"the evidence takes {size}, and the limit is {limit}: stored are all {telling} requests that failed, were "
        f"failed over or met a fault, and a uniform sample of {sampled} of the {plain} others. The numbers here are of "
        "all requests; the run cannot be judged again"
    )


def _ended_alone(who: str, fields: dict[str, object], at_ms: float) -> str:
    return f"{who} ended on its own ({_status(fields.get('status'))}) at {at_ms / 1000:.1f} s"


def _status(status: object) -> str:
    """A process status in words: exit code, or minus the signal."""
    if not isinstance(status, int):
        return "status unknown"
    if status >= 0:
        return f"exit code {status}"
    known = -status in {number.value for number in signal.Signals}
    return f"{signal.Signals(-status).name}, signal {-status}" if known else f"signal {-status}"
