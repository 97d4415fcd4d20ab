from typing import Any

import pytest
import yaml
from proxies.plans import plan, rendered

from battle.core.ports.proxy import BreakerReadable, Endable, Proxy
from battle.core.records import NO_PROVIDER
from battle.proxies.envoy import Envoy, EnvoyHandle


class ChildOfNothing:
    pid = 1


def config(**settings: Any) -> Any:
    return yaml.safe_load(rendered("envoy", **settings))


def cluster(**settings: Any) -> Any:
    return config(**settings)["static_resources"]["clusters"][0]


def route(**settings: Any) -> Any:
    manager = config(**settings)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return manager["route_config"]["virtual_hosts"][0]


def addresses(endpoints: Any) -> list[tuple[str, int]]:
    found = [one["endpoint"]["address"]["socket_address"] for one in endpoints["lb_endpoints"]]
    return [(one["address"], one["port_value"]) for one in found]


def test_listens_where_it_was_told_to() -> None:
    whole = config()
    assert whole["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 8001}
    listener = whole["static_resources"]["listeners"][0]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 8000}
    assert listener["enable_reuse_port"] is False


def test_attempts_and_their_timeout() -> None:
    action = route(attempts=4, attempt_timeout="250ms")["routes"][0]["route"]
    assert action["timeout"] == "2s"
    policy = action["retry_policy"]
    assert policy["num_retries"] == 3
    assert policy["per_try_timeout"] == "0.25s"
    assert {"connect-failure", "refused-stream", "reset", "5xx"} == set(policy["retry_on"].split(","))
    assert policy["retry_host_predicate"][0]["name"] == "envoy.retry_host_predicates.previous_hosts"
    assert cluster(attempt_timeout="250ms")["connect_timeout"] == "0.25s"


def test_one_attempt_is_no_retry() -> None:
    assert route(attempts=1)["routes"][0]["route"]["retry_policy"]["num_retries"] == 0


def test_headers_of_the_witness() -> None:
    host = route()
    assert host["include_attempt_count_in_response"] is True
    assert host["response_headers_to_add"][0]["header"] == {"key": "x-upstream", "value": "%UPSTREAM_HOST%"}


def test_breaker_is_outlier_detection() -> None:
    outliers = cluster(breaker={"failures": 7, "open_for": "1.5s"})["outlier_detection"]
    assert outliers["consecutive_5xx"] == outliers["consecutive_gateway_failure"] == 7
    assert outliers["consecutive_local_origin_failure"] == 7
    assert outliers["base_ejection_time"] == outliers["max_ejection_time"] == "1.5s"
    assert outliers["interval"] == "0.5s"
    assert outliers["max_ejection_percent"] == 100
    assert config()["cluster_manager"]["outlier_detection"]["event_log_path"] == "/run/proxy/outliers.jsonl"


def test_traps_are_avoided() -> None:
    whole = cluster()
    assert whole["common_lb_config"] == {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"}
    assert whole["circuit_breakers"]["thresholds"][0]["max_retries"] == 1_000_000


def test_no_breaker() -> None:
    assert "outlier_detection" not in cluster(breaker=None)
    assert "cluster_manager" not in config(breaker=None)


@pytest.mark.parametrize(
    ("strategy", "policy"),
    [("round_robin", "ROUND_ROBIN"), ("least_request", "LEAST_REQUEST"), ("priority", "ROUND_ROBIN")],
)
def test_strategy(strategy: str, policy: str) -> None:
    assert cluster(strategy=strategy)["lb_policy"] == policy


def test_all_providers_are_equal_by_default() -> None:
    (endpoints,) = cluster()["load_assignment"]["endpoints"]
    assert addresses(endpoints) == [("127.0.0.1", 9001), ("::1", 9002), ("127.0.0.1", 9003)]


def test_priority_is_one_rank_a_provider() -> None:
    ranks = cluster(strategy="priority")["load_assignment"]["endpoints"]
    assert [(rank["priority"], addresses(rank)[0][1]) for rank in ranks] == [(0, 9001), (1, 9002), (2, 9003)]
    policy = route(strategy="priority")["routes"][0]["route"]["retry_policy"]
    assert policy["retry_priority"]["name"] == "envoy.retry_priorities.previous_priorities"


def test_health_check_posts_the_method() -> None:
    (check,) = cluster(health_check={"every": "2s", "method": "eth_chainId"})["health_checks"]
    assert check["interval"] == check["no_traffic_interval"] == "2s"
    assert check["http_health_check"]["method"] == "POST"
    assert b'"method": "eth_chainId"' in bytes.fromhex(check["http_health_check"]["send"]["text"])
    assert "health_checks" not in cluster()


def test_options() -> None:
    own = {"max_ejection_percent": 50, "healthy_panic_threshold": 30, "interval": "1s", "max_ejection_time": "1m"}
    whole = cluster(options={"envoy": own})
    assert whole["outlier_detection"]["max_ejection_percent"] == 50
    assert whole["outlier_detection"]["interval"] == "1s"
    assert whole["outlier_detection"]["max_ejection_time"] == "60s"
    assert whole["common_lb_config"]["healthy_panic_threshold"]["value"] == 30


def test_unknown_options_are_refused_and_those_of_others_ignored() -> None:
    Proxy.named("envoy", options={"nginx": {"non_idempotent": False}})
    with pytest.raises(ValueError, match="max_ejections"):
        Proxy.named("envoy", options={"envoy": {"max_ejections": 3}})


def test_honours_all_common_settings() -> None:
    assert set(Proxy.common) == Envoy.honours
    assert Envoy.tells_breakers


def handle() -> EnvoyHandle:
    return Envoy().handle(plan("envoy"), ChildOfNothing())  # type: ignore[arg-type]


def test_abilities() -> None:
    assert isinstance(handle(), BreakerReadable)
    assert isinstance(handle(), Endable)


@pytest.mark.parametrize(
    ("upstream", "status", "provider"),
    [
        (b"127.0.0.1:9001", 200, 0),
        (b"[::1]:9002", 200, 1),
        # a provider's own 500, after the last attempt
        (b"127.0.0.1:9003", 500, 2),
        # Envoy's own answers name a host that did not serve
        (b"127.0.0.1:9003", 503, NO_PROVIDER),
        (b"127.0.0.1:9003", 504, NO_PROVIDER),
    ],
)
def test_witness(upstream: bytes, status: int, provider: int) -> None:
    witness = handle().witness
    assert witness is not None
    said = witness.read({b"x-upstream": upstream, b"x-envoy-attempt-count": b"2"}, status)
    assert (said.provider, said.attempts) == (provider, 2)


@pytest.mark.parametrize(
    ("said", "message", "line"),
    [
        (
            "[2026-11-23 11:00:05.890][7][critical][main] [x.cc:76] error initializing: yaml-cpp: error at line 2, column 1",
            "error initializing: yaml-cpp: error at line 2, column 1",
            2,
        ),
        ("error: near  1:11: no   such field: 'bogus') has", "error: near 1:11: no such field: 'bogus') has", 3),
        ("critical error of another kind", "critical error of another kind", None),
    ],
)
def test_blame(said: str, message: str, line: int | None) -> None:
    assert Envoy().blame(f"first\n{said}\n", "one: 1\ntwo: 2\nbogus: 3\n") == (message, line)
