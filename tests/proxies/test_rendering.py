from pathlib import Path
from typing import Any

import anyio
import pytest

from battle.core.ports.wire import Endpoint
from battle.errors import SetupError
from battle.proxies.rendering import Upstream, milliseconds, render, seconds, upstreams, whole_seconds


@pytest.mark.parametrize(
    ("ns", "exact", "in_ms", "whole"),
    [
        (500_000_000, "0.5s", "500ms", "1s"),
        (2_000_000_000, "2s", "2000ms", "2s"),
        (1_500_001, "0.001500001s", "2ms", "1s"),
        (0, "0s", "0ms", "0s"),
        (600_000_000_000, "600s", "600000ms", "600s"),
    ],
)
def test_durations(ns: int, exact: str, in_ms: str, whole: str) -> None:
    assert (seconds(ns), milliseconds(ns), whole_seconds(ns)) == (exact, in_ms, whole)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("one\ntwo {{ oh no }}\n", r"expected token.*\n.*template:2: two"),
        ("{{ stranger }}", "'stranger' is undefined"),
        ("{{ 1 // 0 }}", "zero"),
        # a template reads the settings and nothing else
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
    ],
)
def test_mistakes_in_a_template(tmp_path: Path, template: str, why: str) -> None:
    path = tmp_path / "template"
    path.write_text(template)
    with pytest.raises(SetupError, match=why):
        render(path, {})


def test_no_such_template(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        render(tmp_path / "nowhere", {})


class At:
    name = "alpha"

    def __init__(self, host: str, path: str = "") -> None:
        self.endpoint = Endpoint(host, 80, path)


def resolved(providers: list[Any]) -> list[Upstream]:
    return anyio.run(upstreams, "envoy", providers)


def test_addresses() -> None:
    (numeric,) = resolved([At("127.0.0.1")])
    assert numeric == Upstream("alpha", "127.0.0.1", 80)
    (named,) = resolved([At("localhost", "/")])
    assert named.address in {"127.0.0.1:80", "[::1]:80"}


@pytest.mark.parametrize(
    ("providers", "why"),
    [
        ([], "at least one provider"),
        ([At("127.0.0.1", "/rpc")], "cannot put the path /rpc"),
        ([At("no-such-host.invalid")], "is not known"),
    ],
)
def test_providers_refused(providers: list[Any], why: str) -> None:
    with pytest.raises(SetupError, match=why):
        resolved(providers)
