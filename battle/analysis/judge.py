"""From evidence to run.json: the one way in."""

from datetime import UTC, datetime
from typing import Literal

import battle
from battle.analysis import catalogue
from battle.analysis.evidence import Evidence
from battle.analysis.fault_times import FaultTimes, Injected
from battle.analysis.indicator import Measurement
from battle.analysis.indicators.per_fault import time_to_clear_ns, time_to_effect_ns
from battle.analysis.limits import recovery_of
from battle.analysis.notices import notices
from battle.analysis.objectives import judge_all
from battle.analysis.reaction import detection, return_time
from battle.analysis.reading import Reading
from battle.analysis.sections import (
    breaker_section,
    failed_meanwhile,
    failover_section,
    provider_section,
    request_section,
    system_section,
    window_section,
)
from battle.analysis.series import per_second
from battle.analysis.statistics import in_ms
from battle.analysis.touched import touched
from battle.analysis.verdict import decide
from battle.core.journal import EventKind
from battle.core.objective import Objective
from battle.core.run import Analysis, Environment, FaultResult, OccurrenceResult, Run, ScenarioInfo
from battle.core.units import NS_PER_MS, NS_PER_S
from battle.core.verdict import Verdict


def analyse(evidence: Evidence, *, analysed_at: str, objectives: list[Objective] | None = None) -> Run:
    """The whole document of a run: what was measured, how each objective fared, and the verdict with its reasons.

    `objectives` replace those of the scenario. Pure: the same evidence gives the same document, but for `analysed_at`.
    Raises EvidenceError when the load never started.
    """
    return analyse_reading(Reading(evidence, objectives), analysed_at=analysed_at)


def analyse_reading(reading: Reading, *, analysed_at: str) -> Run:
    """The same, of evidence that was read already."""
    assert catalogue.FAMILIES  # noqa: S101  (importing it enters the indicators)
    evidence = reading.evidence
    results = judge_all(reading)
    decision = decide(reading, results)
    return Run(
        report_id=evidence.run_id,
        started_at=_started_at(evidence),
        analysed_at=analysed_at,
        verdict=decision.verdict,
        passed=decision.verdict is Verdict.PASS,
        exit_code=int(decision.exit_code),
        reasons=decision.reasons,
        ended=decision.ended,
        disturbed=decision.disturbed,
        scenario=_scenario_info(evidence),
        slo_results=results,
        analysis=Analysis(
            requests=request_section(reading),
            failover=failover_section(reading),
            faults=[_fault_result(reading, name) for name in reading.faults],
            circuit_breaker=breaker_section(reading),
            providers=provider_section(reading),
            windows=window_section(reading),
            series=per_second(reading),
            system=system_section(reading),
        ),
        notices=notices(reading),
        environment=_environment(evidence),
    )


def _scenario_info(evidence: Evidence) -> ScenarioInfo:
    scenario = evidence.scenario
    return ScenarioInfo(
        name=scenario.name,
        description=scenario.description,
        seed=scenario.seed,
        tags=scenario.tags,
        sha256=evidence.sha256,
        duration_ms=(scenario.load_ns - scenario.warmup_ns) / NS_PER_MS,
    )


def _started_at(evidence: Evidence) -> str:
    started = evidence.first(EventKind.RUN_STARTED)
    wall_ns = started.fields.get("wall_ns") if started else None
    if wall_ns is None:
        return ""
    return datetime.fromtimestamp(int(wall_ns) // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _environment(evidence: Evidence) -> Environment:
    known = {name: value for name, value in evidence.environment.items() if name in Environment.model_fields}
    proxy = evidence.first(EventKind.PROXY_STARTED)
    defaults = {
        "battle": battle.__version__,
        "python": "unknown",
        "proxy": proxy.fields.get("version") if proxy else None,
    }
    return Environment.model_validate({**defaults, **known})


def _fault_result(reading: Reading, name: str) -> FaultResult:
    times = reading.faults[name]
    met = touched(reading, name)
    seen, source = detection(reading, name)

    def at(ns: int | None) -> float | None:
        return None if ns is None else round((ns - reading.t0_ns) / NS_PER_MS, 3)

    return FaultResult(
        name=name,
        kind=times.fault.kind,
        targets=times.targets,
        injected_at_ms=at(min((_entry_ns(one) for one in times.entered), default=None)),
        effective_at_ms=at(times.effective_ns) if times.looked else None,
        rolled_back_at_ms=at(times.rolled_back_ns),
        cleared_at_ms=at(times.cleared_ns) if times.looked else None,
        verified=times.verified,
        cleared=times.cleared,
        time_to_effect_ms=in_ms(time_to_effect_ns(times)),
        time_to_clear_ms=in_ms(time_to_clear_ns(times)),
        requests_touched=met.requests if times.entered else None,
        touched_how=met.how,
        detection_ms=_ms_or_never(seen),
        detection_source=source,
        recovery_ms=_ms_or_never(recovery_of(reading, name)),
        return_ms=_ms_or_never(return_time(reading, name)),
        requests_failed=failed_meanwhile(reading, name) if times.entered else None,
        why=times.why,
        occurrences=[
            OccurrenceResult(
                occurrence=one.occurrence,
                target=one.target,
                injected_at_ms=at(_entry_ns(one)) or 0.0,
                effective_at_ms=at(one.effective_ns),
                rolled_back_at_ms=at(one.rolled_back_ns),
                cleared_at_ms=at(one.cleared_ns),
                verified=_if_looked(times, one.verified),
                cleared=_if_looked(times, one.cleared_ns is not None),
                seen=one.seen,
                why=one.why,
            )
            for one in times.injections
        ],
    )


def _entry_ns(one: Injected) -> int:
    """When it was in: its entry was completed, or its effect was seen, whichever came first; else when it was begun."""
    known = [at for at in (one.injected_ns, one.effective_ns) if at is not None]
    return min(known, default=one.injecting_ns)


def _if_looked(times: FaultTimes, value: bool) -> bool | None:
    return value if times.looked else None


def _ms_or_never(measured: Measurement) -> float | Literal["never"] | None:
    return measured.value if isinstance(measured.value, str) else in_ms(measured.value)
