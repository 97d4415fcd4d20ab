"""Which modules a process imports: what is slow to import must not stand on the way to the first request."""

import json
import subprocess
import sys
from typing import Any

import pytest

from battle.core.scenario import Scenario
from battle.loading import load_text

TEXT = """
name: rooms
setup: {providers: {alpha: {kind: mock}}, proxy: {kind: nginx, attempts: 2}}
chaos: {kill-alpha: {kind: kill, target: alpha, at: 1s, for: 1s}}
workload: {main: {load: {kind: users, users: 3, duration: 4s}, requests: [{method: eth_chainId}]}}
slo: [success_rate >= 99%]
"""
PREPARE = """
import json, sys
from battle.engine import load_process, worker
from battle.rooms import load_worker_rooms
from battle.core.scenario import Scenario
load_worker_rooms()
scenario = Scenario.model_validate({key: it for key, it in json.load(sys.stdin).items() if key in load_process.WORK})
print(scenario.model_dump_json(include={"seed", "workload"}))
"""


def modules_after(code: str, said: Any = None) -> tuple[str, set[str]]:
    """What a fresh interpreter printed, and what it had imported at its end."""
    tail = "\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], input=json.dumps(said), capture_output=True, text=True, check=True
    )
    *printed, names = done.stdout.splitlines()
    return "\n".join(printed), set(names.split())


def test_a_worker_knows_its_workload_as_the_coordinator_does_without_the_rest() -> None:
    loaded = load_text(TEXT)
    printed, modules = modules_after(PREPARE, loaded.data)
    whole: Scenario = loaded.scenario
    assert json.loads(printed) == json.loads(whole.model_dump_json(include={"seed", "workload"}))
    assert not {"httpx", "jinja2", "yaml", "rich", "typer", "battle.app", "battle.analysis"} & modules
    assert not [name for name in modules if name.startswith(("battle.chaos.", "battle.providers."))]


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import battle.app; battle.app.load_rooms()", {"httpx", "jinja2"}),
        ("import battle.cli.running", {"httpx", "jinja2", "pydantic", "numpy"}),
        ("import battle.system.guardian", {"psutil", "pydantic", "numpy", "asyncio"}),
    ],
)
def test_what_only_some_runs_need_is_imported_by_those(code: str, absent: set[str]) -> None:
    assert not absent & modules_after(code)[1]
