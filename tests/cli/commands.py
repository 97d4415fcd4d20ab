"""Commands in this process, where that is enough: what they print, and the error they end in."""

from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from battle.cli.main import app
from battle.core.run import Run
from battle.errors import BattleError, ExitCode
from battle.store import RunDir

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@dataclass
class Done:
    """What a command left. `error` is what main() would tell and map to its exit code."""

    code: int
    out: str
    err: str
    error: BattleError | None


def call(*arguments: str | Path) -> Done:
    """Run a command line; anything that is no error of battle's own is raised."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    error = result.exception
    if isinstance(error, BattleError):
        return Done(int(error.exit_code), result.stdout, result.stderr, error)
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Done(result.exit_code, result.stdout, result.stderr, None)


def refused(*arguments: str | Path, code: ExitCode = ExitCode.USAGE) -> BattleError:
    """The error of a command that must be refused."""
    done = call(*arguments)
    assert done.error is not None, (done.code, done.out, done.err)
    assert done.error.exit_code == code
    return done.error


def store_run(root: Path, run: Run) -> RunDir:
    """A stored run document under `root`, without evidence."""
    run_dir = RunDir(root / run.report_id)
    run_dir.path.mkdir(parents=True)
    run_dir.save_run(run)
    return run_dir
