"""The composition root: the only module that knows every room."""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import anyio

from battle.analysis.evidence import Evidence
from battle.analysis.judge import analyse, analyse_reading
from battle.analysis.keeping import choose_kept, size_over
from battle.analysis.reading import Reading
from battle.analysis.recorded import holding_masks, recorded
from battle.core.calibration import Calibration
from battle.core.component import kinds
from battle.core.journal import Event, EventKind
from battle.core.keys import key_base
from battle.core.live import View
from battle.core.ports.reporter import Reporter
from battle.core.run import Run
from battle.engine.calibrating import calibrate_here
from battle.engine.collecting import gather
from battle.engine.environment import describe_environment
from battle.engine.execution import Execution, Plan, draw_key_base, worker_command
from battle.engine.intervals import interval_log
from battle.engine.schedule import refuse_too_many
from battle.engine.signals import Signals
from battle.engine.this_machine import this_machine
from battle.errors import BattleError, EvidenceError, UsageError
from battle.loading import Loaded, load_scenario, load_text
from battle.proxies.binaries import ENVOY, NGINX
from battle.rooms import REPORTERS, load_reporters, load_rooms
from battle.store import JournalWriter, RunDir, SaveError, Store
from battle.store.calibration import load_calibration, make_place, save_calibration
from battle.system import machine

PROGRAMS = {"envoy": ENVOY, "nginx": NGINX}
"""Kinds of proxies whose program comes with an extra."""
OPTIONAL_PACKAGES = (("h2", "pip install 'battle[http2]'"),)
"""Packages of extras that have no program: what HTTP/2 needs."""
OPTIONAL_TOOLS = (
    ("haproxy", "apt-get install haproxy"),
    ("anvil", "npm install @foundry-rs/anvil"),
    ("wrk", "apt-get install wrk"),
)
"""Programs that some things can use, and how to get them."""


def load_file(
    path: Path,
    *,
    overrides: Mapping[str, str] | None = None,
    seed: int | None = None,
    proxy: str | None = None,
    chaos: bool = True,
) -> Loaded:
    """A scenario file, resolved and checked; without its faults when `chaos` is false.

    Raises ScenarioError with all its mistakes.
    """
    load_rooms()
    return load_scenario(path, overrides=overrides, seed=seed, proxy=proxy, chaos=chaos)


@dataclass(frozen=True)
class Finished:
    """A run that is over: what it found, and where it is stored. `unsaved` says what could not be written."""

    run: Run
    run_dir: RunDir
    unsaved: list[str]
    signal_after: str | None = None
    """A signal that came when the load and its rollback were over; what was found is saved all the same."""


def run_scenario(
    loaded: Loaded, store: Store, view: View, *, workers: int = 1, evidence_limit_bytes: int | None = None
) -> Finished:
    """Run a scenario, judge it and store everything.

    The scenario is saved first, the evidence second, the verdict last. Of records that take more than the limit, a
    part is kept (analysis/keeping.py). Raises SetupError when something does not start,
    Stopped when a signal came before the load, UsageError when the store cannot be written or the scenario's limits are
    too small for so many workers.
    """
    refuse_too_many(loaded.scenario, workers)
    with Signals() as signals:
        return _run_heeding(loaded, store, view, signals, workers=workers, limit_bytes=evidence_limit_bytes)


def _run_heeding(
    loaded: Loaded, store: Store, view: View, signals: Signals, *, workers: int, limit_bytes: int | None
) -> Finished:
    load_reporters()
    now = datetime.now(UTC)
    run_dir = store.create(loaded.scenario.name, now, secrets.token_hex(3))
    run_dir.save_scenario(loaded.masked_text)
    with run_dir.journal() as journal:
        plan = Plan(
            scenario=loaded.scenario,
            data=loaded.data_for(run_dir.save_schedules(loaded.schedules)),
            run_id=run_dir.run_id,
            run_dir=run_dir.path,
            raw_dir=run_dir.raw_dir,
            undo_path=run_dir.undo_path,
            key_base=key_base(draw_key_base()),
            worker_argv=worker_command(),
            workers=workers,
        )
        for note in loaded.notes:
            journal.write(Event(time.monotonic_ns(), EventKind.WARNING, {"text": note}))
        if (known := load_calibration(store.root)) is not None:
            journal.write(Event(time.monotonic_ns(), EventKind.CALIBRATION, known.to_fields(this_machine())))
        execution = Execution(plan, journal.write, view, signals)
        _carry_out(execution)
        late = partial(_write_now, journal)
        requests, attempts = gather(run_dir.raw_dir, late, workers)
        reading = Reading(
            Evidence(
                run_id=run_dir.run_id,
                scenario=loaded.scenario,
                requests=requests,
                attempts=attempts,
                events=journal.events,
                sha256=hashlib.sha256(loaded.masked_text.encode()).hexdigest(),
                environment=describe_environment(journal.events),
            )
        )
        unsaved = _save_records(run_dir, reading, limit_bytes, late)
        for failure in (*unsaved, journal.failure):
            if failure:
                late(EventKind.WARNING, text=failure)
    run = analyse_reading(reading, analysed_at=_stamp())
    unsaved += save_results(run_dir, run, reading.evidence)
    if not any(unsaved):
        run_dir.remove_raw_records()
    unheeded = signals.received[0] if signals.received and not execution.ending.signal_name else None
    return Finished(run, run_dir, [failure for failure in unsaved if failure], unheeded)


def _save_records(
    run_dir: RunDir, reading: Reading, limit_bytes: int | None, note: Callable[..., None]
) -> list[str | None]:
    """Save both tables, or what is kept of them when they are over the limit; what could not be saved, in words."""
    requests, attempts = reading.evidence.requests, reading.evidence.attempts
    if limit_bytes is not None and (size := size_over(limit_bytes, requests, attempts)) is not None:
        kept = choose_kept(reading, limit_bytes)
        requests, attempts = kept.of(requests), kept.of(attempts)
        counts = {"telling": kept.telling, "plain": kept.plain, "sampled": kept.sampled}
        note(EventKind.EVIDENCE_THINNED, bytes=size, limit_bytes=limit_bytes, **counts)
    return [_tried(partial(run_dir.save_requests, requests)), _tried(partial(run_dir.save_attempts, attempts))]


def _carry_out(execution: Execution) -> None:
    """Run the execution's event loop; the first error of a group of tasks is the one that is told."""
    try:
        anyio.run(execution.run)
    except BaseExceptionGroup as group:
        raise _first(group) from group


def _first(group: BaseException) -> BaseException:
    """The error inside a group that says most: a battle error before any other."""
    if not isinstance(group, BaseExceptionGroup):
        return group
    leaves = [_first(error) for error in group.exceptions]
    return next((error for error in leaves if isinstance(error, BattleError)), leaves[0])


def _write_now(journal: JournalWriter, kind: EventKind, **fields: object) -> None:
    journal.write(Event(time.monotonic_ns(), kind, dict(fields)))


def _tried(save: Callable[[], object]) -> str | None:
    """What went wrong when saving, None when all is well."""
    try:
        save()
    except SaveError as error:
        return error.message
    return None


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def save_results(run_dir: RunDir, run: Run, evidence: Evidence) -> list[str]:
    """Write run.json, the histograms and the reports, and make the run the latest; what failed, in words."""
    load_reporters()
    saves: list[Callable[[], object]] = [partial(run_dir.save_run, run)]
    saves.append(partial(_save_histograms, run_dir, evidence))
    for name in sorted(kinds(REPORTERS)):
        made = Reporter.named(name)
        if made.file_name:
            saves.append(partial(_render_and_save, run_dir, made, run))
    saves.append(run_dir.update_latest)
    return [failure for failure in map(_tried, saves) if failure]


def _render_and_save(run_dir: RunDir, reporter: Reporter, run: Run) -> None:
    run_dir.save_report(str(reporter.file_name), reporter.render(run))


def _save_histograms(run_dir: RunDir, evidence: Evidence) -> None:
    run_dir.save_report("histograms.hlog", interval_log(evidence))


def judge_stored(store: Store, wanted: str, changed: Path | None) -> Finished:
    """Analyse a stored run again, against its own objectives or those of another scenario file.

    Raises EvidenceError, ScenarioError. With changed objectives nothing is written.
    """
    load_rooms()
    run_dir = store.find(wanted)
    evidence = _stored_evidence(run_dir)
    if changed is not None:
        objectives = load_file(changed).scenario.slo
        return Finished(analyse(evidence, analysed_at=_stamp(), objectives=objectives), run_dir, [])
    run = analyse(evidence, analysed_at=_stamp())
    return Finished(run, run_dir, save_results(run_dir, run, evidence))


def _stored_evidence(run_dir: RunDir) -> Evidence:
    stored = run_dir.load()
    if any(event.kind is EventKind.EVIDENCE_THINNED for event in stored.events):
        raise EvidenceError(
            f"of {run_dir.run_id} only a part of the evidence was stored, so it cannot be judged again",
            hint="its run.json and reports were made from all of it; a larger --evidence-limit stores more",
        )
    loaded = load_text(stored.scenario_text, str(run_dir.scenario_path), stored=True)
    return Evidence(
        run_id=stored.run_id,
        scenario=loaded.scenario,
        requests=stored.requests,
        attempts=stored.attempts,
        events=list(stored.events),
        sha256=hashlib.sha256(stored.scenario_text.encode()).hexdigest(),
        environment=describe_environment(stored.events),
    )


@dataclass(frozen=True)
class Recording:
    """The lines of a recording, and what is to be said of it."""

    lines: Iterator[bytes]
    notes: list[str]


def record_stored(store: Store, wanted: str, stream: str | None) -> Recording:
    """A recording of a stored run's stream, the only one unless it is named. Raises EvidenceError, UsageError."""
    load_rooms()
    evidence = _stored_evidence(store.find(wanted))
    streams = list(evidence.scenario.workload)
    if stream is None and len(streams) > 1:
        raise UsageError(f"the run has {len(streams)} streams", hint=f"choose by --stream: {', '.join(streams)}")
    if stream is not None and stream not in streams:
        raise UsageError(f"the run has no stream {stream!r}", hint=f"its streams are {', '.join(streams)}")
    chosen = stream or streams[0]
    masked = holding_masks(evidence.scenario, chosen)
    said = f"{', '.join(masked)}: *** stands for what came from the environment; write ${{env:NAME}} there again"
    return Recording(recorded(evidence, chosen), [said] if masked else [])


def render(run: Run, wanted: str, **settings: Any) -> str | bytes:
    """A report in the format of this name or alias. Raises UsageError naming the formats."""
    check_format(wanted)
    found = cast("Mapping[str, type[Reporter]]", kinds(REPORTERS))
    name = next(name for name, kind in found.items() if wanted in (name, *kind.aliases))
    return Reporter.named(name, **settings).render(run)


def check_format(wanted: str) -> None:
    """Raises UsageError when there is no such format: better before a run than after it."""
    if wanted not in formats():
        raise UsageError(f"unknown format {wanted!r}", hint=f"formats are {', '.join(formats())}")


def formats() -> list[str]:
    """The names that `--format` takes."""
    load_reporters()
    found = cast("Mapping[str, type[Reporter]]", kinds(REPORTERS))
    return sorted({alias for name, kind in found.items() for alias in (name, *kind.aliases)})


def find_proxy_program(kind: str) -> Path | None:
    """The program of a kind of proxy, None when it has none. Raises MissingDependency."""
    program = PROGRAMS.get(kind)
    return program.find() if program else None


def serve_mock(settings: dict[str, Any], name: str, announce: Callable[[str], None]) -> None:
    """Serve one mock provider in the foreground. Raises ValidationError, SetupError."""
    from battle.providers.mock import Mock  # noqa: PLC0415  (its process is another one in a run)
    from battle.providers.mock_alone import serve_alone  # noqa: PLC0415

    load_rooms()
    serve_alone(Mock.model_validate(settings), name, announce)


def calibrate(root: Path, seconds: float, tell: Callable[[str], None]) -> tuple[Calibration, Path]:
    """What the load generator sustains on this machine, and where that is stored now.

    Raises UsageError when it cannot be stored there, SetupError when a process does not start or is lost, SaveError,
    Stopped.
    """
    make_place(root)
    try:
        found = anyio.run(calibrate_here, worker_command(), seconds, _stamp(), tell)
    except BaseExceptionGroup as group:
        raise _first(group) from group
    return found, save_calibration(root, found)


def examine_machine() -> list[machine.Finding]:
    """What is installed, what is missing, and what this machine can do."""
    return [
        *machine.packages(),
        *machine.optional_packages(OPTIONAL_PACKAGES),
        *(machine.program(name, program.describe) for name, program in PROGRAMS.items()),
        *machine.tools(OPTIONAL_TOOLS),
        machine.clock(),
        machine.timers(),
        *machine.system_calls(),
        *machine.limits(Path("reports")),
    ]
