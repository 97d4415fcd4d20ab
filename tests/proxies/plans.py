"""Rendered configurations, without starting anything."""

from pathlib import Path
from typing import Any

from battle.core.ports.proxy import Proxy
from battle.core.ports.wire import Endpoint
from battle.proxies.configured import ConfiguredProxy, Plan
from battle.proxies.rendering import TEMPLATES, Upstream, render

UPSTREAMS = [Upstream("alpha", "127.0.0.1", 9001), Upstream("beta", "::1", 9002), Upstream("gamma", "127.0.0.1", 9003)]


def plan(kind: str) -> Plan:
    directory = Path("/run/proxy")
    return Plan(
        Path("/bin/program"),
        f"{kind} 1.2.3",
        UPSTREAMS,
        directory,
        directory / "file",
        Endpoint("127.0.0.1", 8000),
        8001,
    )


def rendered(kind: str, **settings: Any) -> str:
    proxy = Proxy.named(kind, **settings)
    assert isinstance(proxy, ConfiguredProxy)
    return render(TEMPLATES / f"{proxy.file_name}.j2", proxy.variables(plan(kind)))
