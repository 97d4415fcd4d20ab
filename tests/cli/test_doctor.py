import json

import pytest
from cli.commands import call


def test_everything_needed_is_here() -> None:
    done = call("doctor", "--json")
    assert done.code == 0, done.out
    found = {it["topic"]: it for it in json.loads(done.out)}
    assert {"numpy", "pydantic", "typer", "envoy", "nginx", "clock", "timers", "open files"} <= set(found)
    assert "missing" not in {it["status"] for it in found.values()}


def test_the_table_names_the_same() -> None:
    out = call("doctor").out
    assert "timers" in out
    assert "numpy" in out


def test_a_proxy_that_is_absent_is_a_note_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATTLE_NGINX", "/no/such/nginx")
    done = call("doctor", "--json")
    nginx = next(it for it in json.loads(done.out) if it["topic"] == "nginx")
    assert (done.code, nginx["status"]) == (0, "warning")
    assert "/no/such/nginx" in nginx["found"]
