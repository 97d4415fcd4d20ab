"""Without a precise timer and without uvloop, as on macOS and Windows: it works, and says so."""

import json
from pathlib import Path

import pytest
from cli.commands import call
from e2e.command import run_json
from e2e.test_calibrate import TINY

TIMER = "no precise timer here: sends are late by up to a millisecond"
LOOP = "uvloop is not used, since BATTLE_LOOP says so: the load engine is about three times slower"


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({}, []),
        ({"BATTLE_TIMER": "loop"}, [TIMER]),
        ({"BATTLE_LOOP": "asyncio"}, [LOOP]),
        ({"BATTLE_TIMER": "loop", "BATTLE_LOOP": "asyncio"}, [TIMER, LOOP]),
    ],
)
def test_a_short_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], told: list[str]) -> None:
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tiny.yaml").write_text(TINY)
    code, run = run_json("tiny.yaml", cwd=tmp_path)
    assert code == 0, run["reasons"]
    assert [it["text"] for it in run["notices"] if it["level"] == "warning"] == told
    assert (run["analysis"]["requests"]["ok"], run["analysis"]["system"]["generator"]["gc_collections"]) == (100, 0)


@pytest.mark.parametrize("topic", ["timerfd", "uvloop"])
def test_doctor_tells(monkeypatch: pytest.MonkeyPatch, topic: str) -> None:
    def status() -> str:
        found = {it["topic"]: it for it in json.loads(call("doctor", "--json").out)}
        return f"{found[topic]['status']} {found[topic]['hint']}"

    assert status() == "ok "
    monkeypatch.setenv("BATTLE_TIMER", "loop")
    monkeypatch.setenv("BATTLE_LOOP", "asyncio")
    assert status().startswith("warning ")
    assert "slower" in status() or "late by up to a millisecond" in status()
