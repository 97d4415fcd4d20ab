"""The verdict of a run, its reasons, and the exit code."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from battle.analysis.reading import Reading
from battle.analysis.touched import touched
from battle.core.journal import EventKind
from battle.core.run import SloResult
from battle.core.verdict import Verdict
from battle.errors import ExitCode

Ended = Literal["completed", "guard", "interrupted", "worker_lost", "disk_full", "setup_failed"]
_EARLY: dict[Ended, str] = {
    "worker_lost": "the load generator died before the end of the load",
    "disk_full": "no space left on the disk: the load was ended early, and its records end there",
    "interrupted": "the run was interrupted",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the run comes to. `reasons` begin with what weighs most."""

    verdict: Verdict
    exit_code: ExitCode
    reasons: list[str]
    ended: Ended
    disturbed: list[str]


def decide(reading: Reading, results: list[SloResult]) -> Decision:
    """fail: an objective is broken. inconclusive: none is, and something cannot be known. pass otherwise.

    What is still disturbed comes first and decides the exit code; a signal decides it otherwise.
    """
    judged = [result for result in results if not result.warn]
    broken = [_said(result) for result in judged if result.verdict is Verdict.FAIL]
    open_ones = [_said(result) for result in judged if result.verdict is Verdict.INCONCLUSIVE]
    ended, why_ended = how_it_ended(reading)
    doubts = why_ended + _doubts_of_evidence(reading) + _doubts_of_faults(reading)
    disturbed = still_disturbed(reading)
    if broken:
        verdict = Verdict.FAIL
    elif open_ones or doubts or disturbed:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.PASS
    reasons = [f"still disturbed: {what}" for what in disturbed] + broken + doubts + open_ones
    reasons = list(dict.fromkeys(reasons)) or [_all_hold(judged)]
    return Decision(verdict, _exit_code(reading, verdict, disturbed), reasons, ended, disturbed)


def how_it_ended(reading: Reading) -> tuple[Ended, list[str]]:
    """Whether the load ran to its end, and the reasons for doubt when it did not."""
    ended = reading.evidence.first(EventKind.LOAD_ENDED)
    signal = reading.evidence.first(EventKind.INTERRUPTED)
    if signal is not None:
        return "interrupted", [f"the run was interrupted by {signal.fields.get('signal', 'a signal')}"]
    if ended is None:
        return "interrupted", ["the journal stops before the end of the load"]
    reason = ended.fields.get("reason")
    if reason == "guard":
        guards = [str(event.fields.get("objective")) for event in reading.evidence.of_kind(EventKind.GUARD_BROKEN)]
        return "guard", [f"a guard ended the run early: {', '.join(guards) or 'unknown'}"]
    if reason in _EARLY:
        return reason, [_EARLY[reason]]
    missing = reading.evidence.first(EventKind.RUN_ENDED) is None
    return "completed", ["the journal stops before the end of the run"] if missing else []


def still_disturbed(reading: Reading) -> list[str]:
    """What could not be undone, or was not seen to be gone."""
    ended = reading.evidence.first(EventKind.RUN_ENDED)
    found = [str(what) for what in (ended.fields.get("disturbed") or [])] if ended else []
    for times in reading.faults.values():
        for one in times.entered:
            if one.not_cleared:
                text = f"{times.name} on {one.target} ({one.why or 'it was not seen to be gone'})"
            elif one.rolled_back_ns is None and one.cleared_ns is None:
                text = f"{times.name} on {one.target} (nothing says that it was rolled back)"
            else:
                continue
            if not any(times.name in what and one.target in what for what in found):
                found.append(text)
    return found


def _doubts_of_evidence(reading: Reading) -> list[str]:
    columns = reading.columns
    if not np.any(reading.in_run):
        return ["no request was sent after the warm-up, so nothing was measured"]
    missing = columns.keys.missing(reading.evidence.workers)
    if missing:
        return [f"{missing:,} of {missing + len(columns):,} request records are missing"]
    return []


def _doubts_of_faults(reading: Reading) -> list[str]:
    """Faults that were not what they were to be: not injected, not seen, not met."""
    doubts = []
    for name, times in reading.faults.items():
        if times.failed:
            doubts.append(f"{name} could not be injected: {times.failed}")
        elif not times.entered:
            doubts.append(f"{name} was not injected: {times.skipped or 'the journal does not know it'}")
        elif times.verified is False:
            doubts.append(f"{name} was not seen to take effect" + (f": {times.why}" if times.why else ""))
        elif not touched(reading, name).met and not times.fault.may_miss:
            doubts.append(f"{name} met no traffic, so that it proves nothing (`may_miss: true` accepts that)")
    return doubts


def _said(result: SloResult) -> str:
    subject = f" ({result.subject})" if result.subject and result.subject not in result.objective else ""
    implied = " (implied)" if result.implied else ""
    if result.verdict is Verdict.FAIL:
        of = "requests" if result.subject is None else "events"
        over = f" over {result.samples:,} {of}" if result.samples else ""
        guard = f"; {result.reason}" if result.guard and result.reason and "guard" in result.reason else ""
        return f"{result.objective}{subject}{implied}: measured {result.shown_actual}{over}{guard}"
    return f"{result.objective}{subject}{implied}: cannot be judged, {result.reason}"


def _all_hold(judged: list[SloResult]) -> str:
    return "the objective holds" if len(judged) == 1 else f"all {len(judged)} objectives hold"


def _exit_code(reading: Reading, verdict: Verdict, disturbed: list[str]) -> ExitCode:
    if disturbed:
        return ExitCode.ROLLBACK_FAILED
    signal = reading.evidence.first(EventKind.INTERRUPTED)
    if signal is not None:
        return ExitCode.TERMINATED if signal.fields.get("signal") == "SIGTERM" else ExitCode.INTERRUPTED
    return verdict.exit_code
