"""Connections of every kind, to servers that let one in and to servers that do not."""

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from protocols.certificates import Certificates
from protocols.stage import SPEAKERS, Asked, Serve, Speaker, Stage, http1

from battle.core.records import ErrorClass, Outcome

pytestmark = pytest.mark.parametrize("speaker", SPEAKERS, ids=str)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


async def good(asked: Asked) -> None:
    asked.result()


async def good_once(asked: Asked) -> None:
    asked.result()
    await asked.close()


def refusing(context: ssl.SSLContext) -> Serve:
    """A server that says in an alert why it ends the handshake; asyncio's only closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        with suppress(ssl.SSLError):
            for _ in range(10):
                with suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
        writer.write(outgoing.read())
        await reader.read()

    return serve


def outcome(
    speaker: Speaker, serve: Serve | None = None, tls: dict[str, Any] | None = None, **stage: Any
) -> ErrorClass:
    """The class that two calls end with, one after the other; NONE when they are ok."""
    stream = {"tls": tls, "timeout": "2s"}
    calls = Stage(speaker, serve or speaker.server(good), count=2, pause_s=0.03, stream=stream, **stage).play()
    assert all(call.outcome is (Outcome.FAILED if call.error else Outcome.OK) for call in calls)
    (found,) = {call.error for call in calls}
    return found


def test_its_own_authority_is_trusted(speaker: Speaker, certificates: Certificates) -> None:
    assert outcome(speaker, context=certificates.server(), tls={"ca": certificates.ca}) is ErrorClass.NONE


def test_an_unknown_authority_is_not(speaker: Speaker, certificates: Certificates) -> None:
    assert outcome(speaker, context=certificates.server()) is ErrorClass.TLS


def test_the_systems_authorities_are_trusted_without_a_setting(
    speaker: Speaker, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))  # where OpenSSL looks for the system's
    assert outcome(speaker, context=certificates.server()) is ErrorClass.NONE


def test_an_expired_certificate_is_refused(speaker: Speaker, certificates: Certificates) -> None:
    context = certificates.server(expired=True)
    assert outcome(speaker, context=context, tls={"ca": certificates.ca}) is ErrorClass.TLS


def test_another_hosts_certificate_is_refused(speaker: Speaker, certificates: Certificates) -> None:
    context = certificates.server("proxy.test")
    assert outcome(speaker, context=context, tls={"ca": certificates.ca}) is ErrorClass.TLS


def test_the_servers_name_can_be_another_than_the_urls(speaker: Speaker, certificates: Certificates) -> None:
    asked_for: list[str | None] = []
    context = certificates.server("proxy.test")
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    tls = {"ca": certificates.ca, "server_name": "proxy.test"}
    assert outcome(speaker, context=context, tls=tls) is ErrorClass.NONE
    assert set(asked_for) == {"proxy.test"}


@pytest.mark.parametrize("flaw", ["unknown", "expired", "other name"])
def test_insecure_takes_any_certificate(speaker: Speaker, flaw: str, certificates: Certificates) -> None:
    context = certificates.server("proxy.test" if flaw == "other name" else "127.0.0.1", expired=flaw == "expired")
    assert outcome(speaker, context=context, tls={"insecure": True}) is ErrorClass.NONE


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", [True, False])
def test_a_client_certificate_is_demanded(
    speaker: Speaker, version: ssl.TLSVersion, shown: bool, certificates: Certificates
) -> None:
    context = certificates.server(asks=True)
    context.minimum_version = context.maximum_version = version
    cert, key = certificates.pair("client.test")
    tls = {"ca": certificates.ca, **({"cert": cert, "key": key} if shown else {})}
    if shown:
        assert outcome(speaker, context=context, tls=tls) is ErrorClass.NONE
    else:
        assert outcome(speaker, refusing(context), secure=True, tls=tls) is ErrorClass.TLS


def test_a_plain_server_behind_an_https_url(speaker: Speaker) -> None:
    async def bad_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    assert outcome(speaker, bad_request, secure=True) is ErrorClass.TLS


@pytest.mark.parametrize("first", [b"", b"\x15\x03\x01\x00"])
def test_a_handshake_that_is_broken_off(speaker: Speaker, first: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(first)

    assert outcome(speaker, hang_up, secure=True) is ErrorClass.TLS


def test_a_server_that_never_shakes_hands(speaker: Speaker) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    stage = Stage(speaker, silent, secure=True, stream={"timeout": "300ms"})
    assert [call.error for call in stage.play()] == [ErrorClass.TIMEOUT]


def test_a_tls_server_behind_an_http_url(speaker: Speaker, certificates: Certificates) -> None:
    found = outcome(speaker, context=certificates.server(), secure=False)
    assert found in {ErrorClass.INVALID, ErrorClass.CLOSED, ErrorClass.RESET}


def test_http2_is_never_given_up_silently(speaker: Speaker, certificates: Certificates) -> None:
    context = certificates.server()
    context.set_alpn_protocols(["http/1.1"])
    found = outcome(speaker, http1(good), context=context, tls={"ca": certificates.ca})
    assert found is (ErrorClass.INVALID if speaker.frames else ErrorClass.NONE)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback: nothing here tests IPv6")
@pytest.mark.parametrize("secure", [False, True])
def test_ipv6(speaker: Speaker, secure: bool, certificates: Certificates) -> None:
    heard: list[Asked] = []

    async def behave(asked: Asked) -> None:
        heard.append(asked)
        asked.result()

    context = certificates.server("::1") if secure else None
    tls = {"ca": certificates.ca} if secure else None
    assert outcome(speaker, speaker.server(behave), host="::1", context=context, tls=tls) is ErrorClass.NONE
    assert {asked.headers.get("host", asked.headers.get(":authority", ""))[:6] for asked in heard} == {"[::1]:"}


def test_a_name_is_looked_up_once_and_tried_at_each_of_its_addresses(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = 0

    def resolve(host: Any, port: int, *args: Any, **more: Any) -> list[Any]:
        nonlocal lookups
        lookups += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.77", "127.0.0.1")]

    if speaker.fast_loop:
        pytest.skip("uvloop resolves by itself")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    native = speaker.protocol.kind == "http"  # httpx looks it up for each connection
    assert outcome(speaker, speaker.server(good_once if native else good), named="proxy.test") is ErrorClass.NONE
    assert lookups == 1


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "x" * 64 + ".test"])
def test_a_name_that_cannot_be_resolved(speaker: Speaker, name: str) -> None:
    assert outcome(speaker, named=name) is ErrorClass.DNS


def test_unix_sockets(speaker: Speaker, tmp_path: Path) -> None:
    assert outcome(speaker, socket=tmp_path / "s") is ErrorClass.NONE
