"""Numbers and states in words, the same in every report. What was not measured is a dash, never 0."""

import re
from typing import Literal

from battle.core.run import Run, SloResult
from battle.core.verdict import Verdict

UNKNOWN = "–"  # noqa: RUF001  (an en dash, as in printed tables)
STATUS = {Verdict.PASS: "✓ pass", Verdict.FAIL: "✗ fail", Verdict.INCONCLUSIVE: "? inconclusive"}
MENDING = "battle rollback"
_ENDED = {
    "guard": "A guard ended the run early; what follows is what was measured until then.",
    "interrupted": "The run was interrupted; what follows is what was measured until then.",
    "worker_lost": "The load generator died; what follows is what was measured until then.",
    "setup_failed": "The setup failed, so no load was sent.",
}
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def duration(ms: float | Literal["never"] | None) -> str:
    """A duration in ms for people: 0.41 -> "0.41 ms", 61.2 -> "61.2 ms", 1204.5 -> "1.20 s"."""
    if ms is None or ms == "never":
        return ms or UNKNOWN
    if abs(ms) < 0.005:  # noqa: PLR2004
        return "0 ms" if ms == 0 else "< 0.01 ms"
    for limit, digits in ((1, 2), (100, 1), (1000, 0)):
        if round(abs(ms), digits) < limit:
            return f"{ms:.{digits}f} ms"
    if round(abs(ms) / 1000, 2) < 60:  # noqa: PLR2004
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s"


def instant(ms: float | None) -> str:
    """An instant, in seconds from t0: 6014.8 -> "6.015 s"."""
    return UNKNOWN if ms is None else f"{ms / 1000:.3f} s".replace("-", "−")


def share(value: float | None) -> str:
    """A share as a percentage. Only what is whole reads 100%, and only what is nothing reads 0%."""
    if value is None:
        return UNKNOWN
    for digits in (2, 3, 4):
        text = f"{100 * value:.{digits}f}"
        if (float(text) < 100 or value >= 1) and (float(text) > 0 or value <= 0):  # noqa: PLR2004
            return f"{text.rstrip('0').rstrip('.')}%"
    return "99.9999%" if value > 0.5 else "0.0001%"  # noqa: PLR2004


def count(value: float | None) -> str:
    """A whole number with thousands apart: 6021 -> "6,021"."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def number(value: float | None) -> str:
    """A ratio or the like: 1.008 -> "1.008"."""
    return UNKNOWN if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def rate(per_s: float | None) -> str:
    """A rate: 200.2 -> "200.2/s"."""
    return UNKNOWN if per_s is None else f"{per_s:,.1f}/s"


def megabytes(value: float | None) -> str:
    """A size given in MB: 48.3 -> "48.3 MB"."""
    return UNKNOWN if value is None else f"{value:,.1f} MB"


def percent(value: float | None) -> str:
    """A percentage of one core: 6.2 -> "6.2%"."""
    return UNKNOWN if value is None else f"{value:.1f}%"


def plural(value: int, one: str, many: str | None = None) -> str:
    """A count with its noun: 1 request, 2 requests."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def one_line(text: str) -> str:
    """Foreign text on one line, without control characters."""
    return " ".join(_CONTROL.sub("", text).split())


def yes_no(value: bool | None, unknown: str = UNKNOWN) -> str:
    """A finding that may be unknown."""
    return unknown if value is None else "yes" if value else "no"


def reasons(run: Run) -> list[str]:
    """Why the verdict is what it is; never empty."""
    if run.reasons:
        return [one_line(reason) for reason in run.reasons]
    judged = [result for result in run.slo_results if not result.warn]
    if run.verdict is not Verdict.PASS:
        return ["no reason was recorded"]
    if len(judged) == 1:
        return ["the objective holds"]
    return [f"all {len(judged)} objectives hold" if judged else "nothing was required, and nothing went wrong"]


def how_it_ended(run: Run) -> str | None:
    """A sentence on a run that did not complete."""
    return _ENDED.get(run.ended)


def still_disturbed(run: Run) -> str | None:
    """What is still disturbed, and how to mend it."""
    if not run.disturbed:
        return None
    return f"{'; '.join(one_line(what) for what in run.disturbed)}. Mend it: {MENDING} {run.report_id}"


def required(result: SloResult) -> str:
    """What an objective asks for: "≤ 250ms"."""
    shown = one_line(result.shown_required) or UNKNOWN
    shown = shown if shown.startswith(("<", ">", "=")) else f"{result.op} {shown}"
    return shown.replace("<=", "≤").replace(">=", "≥").replace("==", "=")


def actual(result: SloResult) -> str:
    """What was found; a dash when nothing was."""
    if result.actual is None:
        return UNKNOWN
    return one_line(result.shown_actual) or str(result.actual)


def where(result: SloResult) -> str:
    """What an objective is about: its window, and its fault."""
    if result.subject and result.subject not in result.window:
        return result.subject if result.window == "run" else f"{result.window}, {result.subject}"
    return result.window


def status(result: SloResult) -> str:
    """The objective's status, with what is special about it."""
    special = [word for word, is_so in (("guard", result.guard), ("implied", result.implied)) if is_so]
    if result.warn:
        special.append("not judged")
    return f"{STATUS[result.verdict]} ({', '.join(special)})" if special else STATUS[result.verdict]


def measured_ms(run: Run) -> float:
    """How long was measured: as planned, or until the run was ended early."""
    planned = run.scenario.duration_ms
    if run.ended == "completed" or not run.analysis.series:
        return planned
    return min(planned, run.analysis.series[-1].from_ms + 1000)


def key_figures(run: Run) -> list[str]:
    """The run in a few lines: how much, how fast, what became of the failures."""
    requests, failover = run.analysis.requests, run.analysis.failover
    if not requests.total:
        return ["No request was sent, so nothing was measured."]
    held = f" with {plural(requests.calls, 'call')}" if requests.calls > requests.total else ""
    sent = (
        f"{plural(requests.total, 'request')}{held} in {measured_ms(run) / 1000:g} s: {count(requests.ok)} ok "
        f"({share(requests.success_rate)}), {count(requests.failed)} failed, {count(requests.dropped)} dropped"
    )
    fields = {"p50": "p50_latency_ms", "p95": "p95_latency_ms", "p99": "p99_latency_ms", "max": "max_latency_ms"}
    times = ", ".join(f"{name} {duration(getattr(requests, field))}" for name, field in fields.items())
    lines = [sent, f"response time {times}"]
    if requests.service_time_p99_ms is not None:
        lines.append(
            f"service time p50 {duration(requests.service_time_p50_ms)}, p99 {duration(requests.service_time_p99_ms)}: "
            "without the wait before the send, which response time includes"
        )
    if requests.errors:
        lines.append("errors: " + ", ".join(f"{name} {count(failed)}" for name, failed in requests.errors.items()))
    if failover.attribution.joined is not None or failover.count:
        lines.append(
            f"{plural(failover.count, 'failover')} ({count(failover.proved)} proved, {count(failover.witnessed)} "
            f"witnessed), failover time max {duration(failover.max_ms)}, amplification {number(failover.amplification)}"
        )
    breaker = run.analysis.circuit_breaker
    if breaker.opens is not None:
        source = f" ({one_line(breaker.source)})" if breaker.source else ""
        lines.append(f"breaker opened {count(breaker.opens)} ×, closed {count(breaker.closes)} ×{source}")
    return lines + generator(run)


def generator(run: Run) -> list[str]:
    """The load generator in a line or two: how late it was, and how far from what it can do."""
    found = run.analysis.system.generator
    if found.send_lag_p99_ms is None:
        return []
    parts = [f"send lag p99 {duration(found.send_lag_p99_ms)}"]
    if found.event_loop_lag_p99_ms is not None:
        parts.append(
            f"event loop lag p99 {duration(found.event_loop_lag_p99_ms)}, max {duration(found.event_loop_lag_max_ms)}"
        )
    parts.append(f"CPU {percent(found.cpu_percent_mean)}")
    if found.waited:
        wait = duration(found.connection_wait_p99_ms)
        parts.append(f"{plural(found.waited, 'request')} waited for a connection, p99 {wait}")
    lines = ["generator: " + ", ".join(parts)]
    if found.calibrated_at is not None:
        lines.append(f"generator: {headroom(run)}")
    return lines


def headroom(run: Run) -> str:
    """How far the run was from what its machine sustains."""
    found = run.analysis.system.generator
    if found.calibrated_at is None:
        return "not calibrated (`battle calibrate` does that)"
    peak, sustained = f"peak {count(found.peak_per_s)}/s", f"{count(found.calibrated_per_s)}/s"
    known = f"{sustained} that this machine sustains" if found.calibrated_per_s else "no rate that held"
    said = f"{peak} of {known} (calibrated {found.calibrated_at[:10]})"
    if found.calibration_stale:
        return f"{said}; that no longer counts ({one_line(found.calibration_stale)}): run battle calibrate again"
    return said
