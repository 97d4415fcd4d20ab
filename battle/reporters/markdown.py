"""The full report in Markdown: the verdict and its reasons first, and how it is known last."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from battle.core.ports.reporter import Reporter
from battle.core.run import Run
from battle.reporters import details, tables
from battle.reporters import wording as say
from battle.reporters.markdown_text import block, code, plain, table
from battle.reporters.proof import NOT_MEASURED, sentences
from battle.reporters.timeline import draw


class MarkdownReporter(Reporter):
    """The full report, for people; report.md in the run directory."""

    kind: Literal["markdown"] = "markdown"
    aliases: ClassVar[tuple[str, ...]] = ("md",)
    file_name: ClassVar[str | None] = "report.md"
    example: ClassVar[str] = "battle report latest --format md --output report.md"

    def render(self, run: Run) -> str:
        """The report. Its first line says so when something is still disturbed."""
        parts = [*_head(run), *_objectives(run), *_faults(run)]
        for title, section in _SECTIONS.items():
            if run.ended != "setup_failed" or section in {_notices, _proof}:
                parts += [f"## {title}", *section(run)]
        return "\n\n".join(part for part in parts if part) + "\n"


def _head(run: Run) -> Iterator[str]:
    if run.disturbed:
        what = "; ".join(plain(each) for each in run.disturbed)
        yield f"> **Still disturbed:** {what}. Mend it with {code(f'{say.MENDING} {run.report_id}')}"
    yield f"# {say.STATUS[run.verdict].replace(run.verdict, run.verdict.upper())} · {plain(run.scenario.name)}"
    yield plain(run.scenario.description)
    yield "\n".join(f"- {plain(reason)}" for reason in say.reasons(run))
    ended = say.how_it_ended(run)
    yield f"**{ended}**" if ended else ""
    yield "\n".join(f"{line}  " for line in say.key_figures(run)).rstrip()
    through = f", through {plain(run.environment.proxy)}" if run.environment.proxy else ""
    yield f"Run {code(run.report_id)}, started {plain(run.started_at)}, seed {run.scenario.seed}{through}."
    lines = draw(run)
    yield block(lines) if lines else ""


def _objectives(run: Run) -> Iterator[str]:
    yield "## Objectives"
    if not run.slo_results:
        yield "No objective was judged."
        return
    yield table(tables.objectives(run), code_column=0)
    reasons = [f"- {code(result.objective)}: {plain(result.reason)}" for result in run.slo_results if result.reason]
    yield "\n".join(reasons)


def _faults(run: Run) -> Iterator[str]:
    yield "## Faults"
    if not run.analysis.faults:
        yield "No fault was injected."
        return
    yield table(tables.fault_instants(run))
    yield "What they cost:"
    yield table(tables.fault_costs(run))
    notes = []
    for fault in run.analysis.faults:
        known = [fault.why] if fault.why else []
        known += [f"touched requests known from {fault.touched_how}"] if fault.touched_how else []
        known += [f"detection known from {fault.detection_source}"] if fault.detection_source else []
        notes += [f"- {plain(fault.name)}: {plain('; '.join(known))}"] if known else []
    yield "\n".join(notes)
    for fault in run.analysis.faults:
        if len(fault.occurrences) >= tables.MANY:
            yield f"Each injection of {plain(fault.name)}:"
            yield table(tables.occurrences(fault))


def _latency(run: Run) -> Iterator[str]:
    requests = run.analysis.requests
    if requests.p50_latency_ms is None:
        yield NOT_MEASURED
        return
    yield table(details.latency(run))
    yield details.SERVICE_TIME
    for first, members in (("Method", requests.by_method), ("Stream", requests.by_stream)):
        if len(members) >= tables.MANY:
            yield table(details.groups(first, members))


def _failover(run: Run) -> Iterator[str]:
    found = run.analysis.failover
    is_measured = found.attribution.joined is not None or found.attempts or found.count
    yield table(details.failover(run)) if is_measured else NOT_MEASURED


def _breakers(run: Run) -> Iterator[str]:
    found = run.analysis.circuit_breaker
    if found.opens is None and not found.transitions:
        yield NOT_MEASURED
        return
    yield (
        f"Opened {say.count(found.opens)} ×, closed {say.count(found.closes)} ×, "
        f"open for {say.duration(found.time_open_ms)} in all."
    )
    if found.transitions:
        yield table(details.transitions(run))


def _providers(run: Run) -> Iterator[str]:
    if not run.analysis.providers:
        yield "There were no providers of battle's own."
        return
    yield table(details.providers(run))
    if served := run.analysis.requests.by_provider:
        yield "Requests by the provider that served them:"
        yield table(details.groups("Provider", served))


def _errors(run: Run) -> Iterator[str]:
    if run.analysis.requests.errors:
        yield table(details.errors(run))
    else:
        yield "No request failed." if run.analysis.requests.total else "No request was sent."


def _windows(run: Run) -> Iterator[str]:
    yield table(details.windows(run)) if run.analysis.windows else NOT_MEASURED


def _system(run: Run) -> Iterator[str]:
    yield table(details.system(run))
    yield f"The generator against its calibration: {plain(say.headroom(run))}."


def _notices(run: Run) -> Iterator[str]:
    lines = [
        f"- **{notice.level}**{f' at {say.instant(notice.at_ms)}' if notice.at_ms is not None else ''}: "
        f"{plain(notice.text)}"
        for notice in run.notices
    ]
    yield "\n".join(lines) or "None."


def _proof(run: Run) -> Iterator[str]:
    yield "\n".join(f"- {plain(sentence)}" for sentence in sentences(run))
    host = ", ".join(f"{name} {value}" for name, value in run.environment.host.items())
    made_by = f"battle {run.environment.battle}, Python {run.environment.python}"
    yield plain(f"Made by {made_by}{f' ({host})' if host else ''}, analysed {run.analysed_at}.")
    if run.ended != "setup_failed":
        yield f"The same evidence can be judged again: {code(f'battle judge {run.report_id}')}"


_SECTIONS = {
    "Latency": _latency,
    "Failover": _failover,
    "Breakers": _breakers,
    "Providers": _providers,
    "Errors": _errors,
    "Windows": _windows,
    "System": _system,
    "Notices": _notices,
    "How this is known": _proof,
}
