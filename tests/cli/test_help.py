import subprocess
import sys

import pytest
from cli.commands import call

COMMANDS = (
    "run",
    "check",
    "report",
    "list",
    "judge",
    "record",
    "kinds",
    "schema",
    "doctor",
    "calibrate",
    "init",
    "provider",
    "rollback",
)


def test_all_commands_are_listed() -> None:
    shown = call("--help").out
    assert [name for name in COMMANDS if f" {name} " not in shown] == []


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_shows_an_example(name: str, flag: str) -> None:
    done = call(name, flag)
    assert done.code == 0
    assert "Examples" in done.out
    assert f" battle {name}" in done.out.partition("Examples")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_a_usage_error(name: str) -> None:
    assert call(name, "--no-such-option").code == 2


def test_help_imports_nothing_heavy() -> None:
    """Its time is bounded by what is imported, which does not depend on how busy the machine is."""
    script = (
        "import sys; from battle.cli.main import app; from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print([m for m in ('numpy', 'pydantic', 'httpx', 'battle.app', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
