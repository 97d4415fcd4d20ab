import re
from typing import Any

import pytest
from proxies.plans import UPSTREAMS, plan, rendered
from proxies.tiny_provider import context_in

from battle.core.ports.proxy import BreakerReadable, Endable, Proxy, ProxyHandle
from battle.core.records import NO_PROVIDER
from battle.proxies.nginx import Nginx


class ChildOfNothing:
    pid = 1


def directives(name: str, **settings: Any) -> list[str]:
    return re.findall(rf"^\s*{name} (.*);", rendered("nginx", **settings), re.MULTILINE)


def test_listens_where_it_was_told_to() -> None:
    assert directives("listen") == ["127.0.0.1:8000"]


def test_attempts_and_their_timeout() -> None:
    settings = {"attempts": 2, "attempt_timeout": "250ms"}
    assert directives("proxy_next_upstream_tries", **settings) == ["2"]
    for name in ("proxy_connect_timeout", "proxy_send_timeout", "proxy_read_timeout"):
        assert directives(name, **settings) == ["250ms"]


@pytest.mark.parametrize(("options", "retried"), [({}, True), ({"nginx": {"non_idempotent": False}}, False)])
def test_posts_are_tried_again(options: Any, retried: bool) -> None:
    (when,) = directives("proxy_next_upstream", options=options)
    assert when.split()[:6] == ["error", "timeout", "http_500", "http_502", "http_503", "http_504"]
    assert ("non_idempotent" in when) is retried


def test_breaker_is_max_fails() -> None:
    servers = directives("server", breaker={"failures": 7, "open_for": "3s"})
    assert servers == [
        f"{address} max_fails=7 fail_timeout=3s" for address in ("127.0.0.1:9001", "[::1]:9002", "127.0.0.1:9003")
    ]


def test_no_breaker() -> None:
    assert all(server.endswith(" max_fails=0") for server in directives("server", breaker=None))


def test_strategies() -> None:
    assert "least_conn;" not in rendered("nginx")
    assert "least_conn;" in rendered("nginx", strategy="least_request")
    servers = directives("server", strategy="priority")
    assert [server.endswith(" backup") for server in servers] == [False, True, True]


def test_what_it_cannot_do_exactly_is_said(tmp_path: Any) -> None:
    warnings: list[str] = []
    proxy = Nginx.model_validate({"breaker": {"open_for": "1500ms"}, "strategy": "priority"})
    proxy.warn_of_differences(UPSTREAMS, context_in(tmp_path, warnings))
    assert "2s, not 1.5s" in warnings[0]
    assert "beta, gamma take turns" in warnings[1]
    warnings.clear()
    Nginx().warn_of_differences(UPSTREAMS, context_in(tmp_path, warnings))
    assert not warnings


def test_health_checks_are_not_honoured() -> None:
    assert Proxy.named("nginx", health_check={}, attempts=2).not_honoured() == ["health_check"]


def handle() -> ProxyHandle:
    return Nginx().handle(plan("nginx"), ChildOfNothing())  # type: ignore[arg-type]


def test_abilities() -> None:
    assert not isinstance(handle(), BreakerReadable)
    assert not Nginx.tells_breakers
    assert isinstance(handle(), Endable)


@pytest.mark.parametrize(
    ("header", "provider", "attempts", "first"),
    [
        (b"127.0.0.1:9001", 0, 1, 0),
        (b"127.0.0.1:9001, [::1]:9002", 1, 2, 0),
        # no live upstream is left: nginx names the group
        (b"127.0.0.1:9001, providers", NO_PROVIDER, 2, 0),
    ],
)
def test_witness(header: bytes, provider: int, attempts: int, first: int) -> None:
    witness = handle().witness
    assert witness is not None
    said = witness.read({b"x-upstream": header}, 200)
    assert (said.provider, said.attempts, said.first) == (provider, attempts, first)


@pytest.mark.parametrize(
    ("said", "message", "line"),
    [
        (
            '2026/11/23 10:00:00 [emerg] 7#7: unknown directive "bogus" in /run/nginx.conf:3\nnginx: test failed',
            '7#7: unknown directive "bogus" in /run/nginx.conf:3',
            3,
        ),
        ("killed", "killed", None),
        ("", "", None),
    ],
)
def test_blame(said: str, message: str, line: int | None) -> None:
    assert Nginx().blame(said, "") == (message, line)
