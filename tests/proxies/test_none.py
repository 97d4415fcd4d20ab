from pathlib import Path

import anyio
import pytest
from proxies.tiny_provider import TinyProvider, context_in

from battle.core.ports.proxy import BreakerReadable, Endable, Proxy, ProxyHandle
from battle.errors import SetupError


async def started(path: Path, providers: list[TinyProvider]) -> ProxyHandle:
    async with Proxy.named("none").start(list(providers), context_in(path)) as handle:
        return handle


def test_straight_to_the_first_provider(tmp_path: Path) -> None:
    providers = [TinyProvider("alpha"), TinyProvider("beta")]
    handle = anyio.run(started, tmp_path, providers)
    assert handle.endpoint == providers[0].endpoint
    assert (handle.version, handle.pid, handle.witness) == ("none", None, None)
    assert not isinstance(handle, BreakerReadable)
    assert not isinstance(handle, Endable)


def test_nothing_to_send_load_to(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="nothing to send load to"):
        anyio.run(started, tmp_path, [])


def test_honours_nothing() -> None:
    assert Proxy.named("none", attempts=2, breaker=None).not_honoured() == ["attempts", "breaker"]
