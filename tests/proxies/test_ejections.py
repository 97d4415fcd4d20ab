import json
import time
from datetime import UTC, datetime
from typing import Any

from battle.proxies.ejections import HEALTH_LOG, OUTLIER_LOG, Ejections, monotonic_ns

NAMES = {"127.0.0.1:9001": "alpha", "[::1]:9002": "beta"}


def stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def outlier(action: str, address: str = "127.0.0.1:9001") -> str:
    return json.dumps({"action": action, "upstream_url": address, "timestamp": stamp(), "type": "CONSECUTIVE_5XX"})


def health(event: str, host: str = "127.0.0.1", port: int = 9001) -> str:
    where = {"socket_address": {"address": host, "port_value": port}}
    return json.dumps({"host": where, event: {}, "timestamp": stamp()})


def read(*lines: str) -> list[Any]:
    ejections = Ejections(NAMES)
    found = [ejections.read(line) for line in lines]
    return [(one.provider, one.state, one.source) if one else None for one in found]


def test_out_and_back() -> None:
    assert read(outlier("EJECT"), outlier("UNEJECT")) == [
        ("alpha", "open", OUTLIER_LOG),
        ("alpha", "closed", OUTLIER_LOG),
    ]


def test_health_checks() -> None:
    lines = health("eject_unhealthy_event", "::1", 9002), health("add_healthy_event", "::1", 9002)
    assert read(*lines) == [("beta", "open", HEALTH_LOG), ("beta", "closed", HEALTH_LOG)]


def test_opens_with_the_first_reason_and_closes_with_the_last() -> None:
    lines = outlier("EJECT"), health("eject_unhealthy_event"), outlier("UNEJECT"), health("add_healthy_event")
    assert read(*lines) == [("alpha", "open", OUTLIER_LOG), None, None, ("alpha", "closed", HEALTH_LOG)]


def test_what_changes_nothing() -> None:
    strangers = outlier("EJECT", "127.0.0.1:1"), health("health_check_failure_event"), outlier("LOOK")
    assert read(*strangers, "{", "[]", "{}", outlier("UNEJECT")) == [None] * 7


def test_stamps_are_mapped_to_the_monotonic_clock() -> None:
    before = time.monotonic_ns()
    at = monotonic_ns(stamp())
    assert before - 2_000_000 <= at <= time.monotonic_ns()
