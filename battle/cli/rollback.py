"""`battle rollback`: finish what a run that was killed could not undo."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from battle.store import RunDir

_EXAMPLE = """[bold]Examples[/bold]

  battle rollback

  battle rollback 20261123T041500Z

  battle rollback --all
"""
_DAMAGED = (KeyError, TypeError, AttributeError)
"""What reading lines raises that are JSON and no steps."""


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("rollback", epilog=_EXAMPLE)(rollback)


def rollback(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run; all of them when absent.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All runs that left something.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("reports"),
) -> None:
    """Undo what a killed run left: processes, faults, temporary files. A second time finds nothing to do."""
    from battle.errors import RollbackError, UsageError  # noqa: PLC0415  (heavy: not for --help)
    from battle.store import Store  # noqa: PLC0415

    store = Store(out)
    if run is not None and every:
        raise UsageError("name a run, or say --all; not both")
    chosen = [store.find(run)] if run is not None else [store.find(run_id) for run_id in store.run_ids()]
    did: list[str] = []
    failed: list[str] = []
    for run_dir in chosen:
        one_did, one_failed = _undo(run_dir, is_named=run is not None)
        did += one_did
        failed += one_failed
    for line in did:
        typer.echo(line)
    if failed:
        raise RollbackError(
            "still disturbed: " + "; ".join(failed), hint="mend what is named above by hand, then run it again"
        )
    if not did:
        typer.echo("nothing to undo")


def _undo(run_dir: "RunDir", *, is_named: bool) -> tuple[list[str], list[str]]:
    """Play one run's undo journal; what was done, and what failed."""
    from battle.errors import UsageError  # noqa: PLC0415
    from battle.system import groups, undo  # noqa: PLC0415

    if not run_dir.undo_path.exists():
        return [], []
    try:
        left = undo.read(run_dir.undo_path)
        lines = _lines(run_dir.undo_path)
    except (OSError, *_DAMAGED) as error:  # it may be a run that lives: nothing of it is touched
        return [], [_why(run_dir, error)]
    if left.coordinator_alive:
        if is_named:
            pid = next((line["pid"] for line in reversed(lines) if "run" in line), "unknown")
            hint = f"it undoes everything itself when it ends; to end it now: kill -INT {pid}"
            raise UsageError(f"{run_dir.run_id} is still running (pid {pid})", hint=hint)
        return [], []
    if is_named:
        _tell_guardian(lines)
    did: list[str] = []
    failed: list[str] = []
    try:
        if left.pending:
            did, failed = undo.play(run_dir.undo_path)
    except (OSError, *_DAMAGED) as error:
        failed.append(_why(run_dir, error))
    try:
        did += [f"ended pid {pid}, which had left its group" for pid in groups.end_marked(run_dir.run_id)]
    except OSError as error:
        failed.append(str(error))
    return [f"{run_dir.run_id}: {line}" for line in did], [f"{run_dir.run_id}: {line}" for line in failed]


def _why(run_dir: "RunDir", error: Exception) -> str:
    told = error.strerror if isinstance(error, OSError) else f"it is damaged ({type(error).__name__}: {error})"
    return f"{run_dir.undo_path}: {told}"


def _lines(path: Path) -> list[dict[str, Any]]:
    """The journal's lines that are whole; one may be torn, when its writer was killed."""
    found = []
    for text in path.read_text(errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        found += [line] if isinstance(line, dict) else []
    return found


def _tell_guardian(lines: list[dict[str, Any]]) -> None:
    """Say what the guardian had undone before."""
    for line in lines:
        if line.get("by") == "guardian":
            told = "; ".join(line.get("done", [])) or "nothing was left"
            typer.echo(f"the guardian had already undone: {told}", err=True)
