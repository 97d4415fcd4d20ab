import json
import socket
from pathlib import Path

import pytest
from cli.commands import SCENARIOS, call, refused

CLOSED = """name: closed
setup: {proxy: {kind: url, url: "http://127.0.0.1:1"}}
workload:
  visits: {load: {kind: users, users: 5, duration: 20s}, requests: [{method: eth_chainId}]}
slo: [p95 <= 1s]
"""
CHAIN = """name: chain
setup: {providers: {alpha: {kind: mock}, beta: {kind: mock}}, proxy: none}
workload:
  reads: {load: {kind: constant, rate: 100/s, duration: 30s}, requests: [{method: eth_chainId}]}
chaos:
  first: {kind: kill, target: alpha, at: 5s, for: 2s}
  second: {kind: hang, target: beta, after: first, delay: 3s, for: 1s}
"""


def written(tmp_path: Path, text: str, name: str = "s.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_every_shipped_scenario_is_right() -> None:
    done = call("check", *sorted(SCENARIOS.glob("*.yaml")))
    assert done.code == 0, done.err


def test_the_time_line_and_the_requests_behind_objectives() -> None:
    out = call("check", SCENARIOS / "failover.yaml").out
    assert "-3.0 s" in out
    assert "kill-alpha: kill alpha" in out
    assert "success_rate >= 99% during kill-alpha: about 1,600 requests" in out
    assert "recovery_time <= 2s: judged for each fault" in out
    assert "(implied)" not in out


def test_in_a_scenario_with_batches_it_says_what_is_counted() -> None:
    out = call("check", SCENARIOS / "batch.yaml").out
    assert "success_rate >= 80%: about 2,250 calls" in out
    assert "p95 <= 250ms: about 900 requests" in out


def test_set_and_proxy_change_the_plan() -> None:
    out = call("check", SCENARIOS / "failover.yaml", "--set", "rate=400/s", "--proxy", "nginx", "--seed", "3").out
    assert "p95 <= 250ms: about 12,000 requests" in out


def test_the_closed_model_cannot_be_counted_and_an_implied_objective_is_shown(tmp_path: Path) -> None:
    out = call("check", written(tmp_path, CLOSED)).out
    assert "p95 <= 1s: a number of requests that depends on the answers" in out
    assert "success_rate >= 99% (implied)" in out


def test_a_fault_after_another(tmp_path: Path) -> None:
    assert "after first + 3s" in call("check", written(tmp_path, CHAIN)).out


def test_all_files_are_checked_and_all_mistakes_told(tmp_path: Path) -> None:
    one = written(tmp_path, CLOSED.replace("p95", "p59"), "one.yaml")
    two = written(tmp_path, CLOSED.replace("name:", "nme:"), "two.yaml")
    done = call("check", one, SCENARIOS / "smoke.yaml", two)
    assert done.code == 2
    assert "one.yaml:5" in done.err
    assert "two.yaml:1" in done.err
    assert "Smoke" in done.out


def test_json_holds_the_good_and_the_bad(tmp_path: Path) -> None:
    done = call("check", "--json", SCENARIOS / "failover.yaml", written(tmp_path, CLOSED.replace("p95", "p59")))
    assert done.code == 2
    good, bad = json.loads(done.out)
    assert (good["valid"], bad["valid"]) == (True, False)
    assert {"what": "kill-alpha: kill alpha", "at_ms": 6000, "until_ms": 14000, "after": None} in good["timeline"]
    expected = {it["objective"]: it["expected_requests"] for it in good["objectives"]}
    assert expected["p95 <= 250ms"] == pytest.approx(6000)
    assert expected["recovery_time <= 2s"] is None
    (problem,) = bad["problems"]
    assert (problem["line"], "p59" in problem["message"], bool(problem["hint"])) == (5, True, True)


def test_what_is_not_honoured_is_a_note(tmp_path: Path) -> None:
    text = CHAIN.replace("proxy: none", "proxy: {kind: nginx, health_check: {every: 1s}}")
    done = call("check", written(tmp_path, text))
    assert done.code == 0
    assert "not honoured" in done.out
    assert "health_check" in done.out


def test_a_missing_program_is_a_note_and_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATTLE_ENVOY", "/no/such/envoy")
    done = call("check", SCENARIOS / "smoke.yaml")
    assert done.code == 0
    assert "/no/such/envoy" in done.out


def test_a_port_in_use_is_a_note(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = call(
            "check", written(tmp_path, CHAIN.replace("{kind: mock}, beta", f"{{kind: mock, port: {port}}}, beta"))
        )
    assert done.code == 0
    assert f"port {port} is in use" in done.out


def test_a_bad_override(tmp_path: Path) -> None:
    assert "name=value" in refused("check", SCENARIOS / "smoke.yaml", "--set", "rate").message
    assert not list(tmp_path.iterdir())
