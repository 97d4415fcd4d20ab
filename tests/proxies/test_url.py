from pathlib import Path
from typing import Any

import anyio
import pytest
from proxies.tiny_provider import TinyProvider, context_in

from battle.core.ports.proxy import Endable, Proxy, ProxyHandle
from battle.core.ports.wire import Endpoint
from battle.core.records import NO_PROVIDER
from battle.proxies.url import UrlProxy


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:8545", Endpoint("127.0.0.1", 8545)),
        # the default port; a path without its last slash
        ("http://proxy.test/rpc/main/", Endpoint("proxy.test", 80, "/rpc/main")),
        ("http://[::1]:8545/", Endpoint("::1", 8545)),
        ("http://[::1]", Endpoint("::1", 80)),
        ("https://proxy.test/rpc", Endpoint("proxy.test", 443, "/rpc", secure=True)),
        ("https://127.0.0.1:8443", Endpoint("127.0.0.1", 8443, secure=True)),
        ("unix:/run/proxy.sock", Endpoint("localhost", 0, socket="/run/proxy.sock")),
        ("unix:///run/proxy.sock", Endpoint("localhost", 0, socket="/run/proxy.sock")),
        ("http+unix://%2Frun%2FProxy.sock/rpc/", Endpoint("localhost", 0, "/rpc", socket="/run/Proxy.sock")),
    ],
)
def test_endpoint(url: str, endpoint: Endpoint) -> None:
    assert UrlProxy(url=url).endpoint == endpoint


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://", "is not an http URL"),
        ("https://127.0.0.1:0", "port 0"),
        ("http://a..b", "no name of a host"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("unix:", "by its whole path"),
        ("unix:run/proxy.sock", "by its whole path"),
        ("unix:/" + "x" * 107, "at most 107 bytes"),
        ("http+unix:///run/proxy.sock", "by its whole path"),
        ("127.0.0.1:8545", "is not an http URL"),
        ("ws://127.0.0.1:8545", "is not an http URL"),
        ("http://", "is not an http URL"),
        ("http://127.0.0.1:99999", "Port out of range"),
        ("http://127.0.0.1:0", "port 0"),
        ("http://me:secret@127.0.0.1", "a host, a port and a path only"),
        ("http://127.0.0.1/?a=1", "a host, a port and a path only"),
    ],
)
def test_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        UrlProxy(url=url)


@pytest.mark.parametrize(("pattern", "why"), [("(", "not a regular expression"), ("a", "has no group")])
def test_patterns_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Proxy.named("url", url="http://127.0.0.1", witness={"header": "via", "pattern": pattern})


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://proxy.test", "proxy.test"),
        ("http://proxy.test:443", "proxy.test:443"),
        ("https://proxy.test", "proxy.test"),
        ("https://[::1]:8443", "[::1]:8443"),
        ("https://[::1]", "[::1]"),
        ("unix:/run/proxy.sock", "localhost"),
    ],
)
def test_what_the_host_header_says(url: str, authority: str) -> None:
    endpoint = UrlProxy(url=url).endpoint
    assert endpoint.authority == authority
    assert endpoint.url == f"{endpoint.scheme}://{authority}"


async def started(path: Path, providers: list[TinyProvider], witness: Any) -> ProxyHandle:
    proxy = Proxy.named("url", url="http://127.0.0.1:9", witness=witness)
    async with proxy.start(list(providers), context_in(path)) as handle:
        return handle


def test_without_a_witness(tmp_path: Path) -> None:
    handle = anyio.run(started, tmp_path, [], None)
    assert (handle.version, handle.pid, handle.witness) == ("url", None, None)
    assert not isinstance(handle, Endable)


def test_witness_by_name_or_by_address(tmp_path: Path) -> None:
    providers = [TinyProvider("alpha"), TinyProvider("beta")]
    handle = anyio.run(started, tmp_path, providers, {"header": "Via", "pattern": r"to=(\S+)"})
    assert handle.witness is not None
    for value, index in [("to=beta ok", 1), (f"to={providers[0].endpoint}", 0), ("to=delta", NO_PROVIDER)]:
        assert handle.witness.read({b"via": value.encode()}, 200).provider == index


def test_honours_nothing() -> None:
    assert UrlProxy(url="http://127.0.0.1", attempts=2).not_honoured() == ["attempts"]
