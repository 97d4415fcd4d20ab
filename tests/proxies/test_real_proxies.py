"""Real Envoy and real nginx in front of tiny providers."""

import asyncio
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from proxies.tiny_provider import Stage, TinyProvider, context_in, staged

from battle.core.ports.proxy import Proxy
from battle.core.records import NO_PROVIDER
from battle.errors import SetupError
from battle.proxies.rendering import TEMPLATES
from battle.system.groups import members

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("kind", ["envoy", "nginx"])


async def harm(provider: TinyProvider, how: str) -> None:
    if how == "refused":
        await provider.refuse()
    else:
        provider.mode = how


@BOTH
@pytest.mark.parametrize("how", ["500", "hang", "refused"])
def test_a_post_is_tried_elsewhere(tmp_path: Path, kind: str, how: str) -> None:
    async def play() -> None:
        proxy = Proxy.named(kind, attempt_timeout="150ms", breaker=None)
        async with staged(tmp_path, proxy) as stage:
            assert set(await stage.served(6)) == {"alpha", "beta", "gamma"}
            await harm(stage.providers[0], how)
            failovers = 0
            for _ in range(9):
                status, body, said = await stage.call()
                assert status == 200
                assert body["from"] == stage.providers[said.provider].name != "alpha"
                assert said.attempts in {1, 2}
                failovers += said.attempts == 2
                if kind == "nginx" and said.attempts == 2:
                    assert said.first == 0
            assert failovers >= 2
            if how != "refused":
                elsewhere = stage.providers[1].keys() + stage.providers[2].keys()
                tried_first = stage.providers[0].keys()[2:]
                assert len(tried_first) >= 2
                assert set(tried_first) <= set(elsewhere)

    anyio.run(play)


@BOTH
def test_attempts_are_limited(tmp_path: Path, kind: str) -> None:
    async def play() -> None:
        async with staged(tmp_path, Proxy.named(kind, attempts=2, breaker=None)) as stage:
            for provider in stage.providers:
                provider.mode = "500"
            status, _, said = await stage.call()
            assert (status, said.attempts) == (500, 2)
            assert sum(len(provider.arrivals) for provider in stage.providers) == 2

    anyio.run(play)


@BOTH
def test_nobody_left(tmp_path: Path, kind: str) -> None:
    async def play() -> None:
        async with staged(tmp_path, Proxy.named(kind)) as stage:
            for provider in stage.providers:
                await provider.refuse()
            status, _, said = await stage.call()
            assert status in {502, 503}
            assert said.attempts == 3
            if kind == "envoy":
                assert said.provider == NO_PROVIDER

    anyio.run(play)


@BOTH
def test_priority(tmp_path: Path, kind: str) -> None:
    async def play() -> None:
        async with staged(tmp_path, Proxy.named(kind, strategy="priority"), names="alpha beta") as stage:
            assert await stage.served(6) == ["alpha"] * 6
            await stage.providers[0].refuse()
            assert await stage.served(8) == ["beta"] * 8

    anyio.run(play)


async def turned_away(stage: Stage, calls: int) -> int:
    """How many of these calls reached the first provider."""
    before = len(stage.providers[0].arrivals)
    await stage.served(calls)
    return len(stage.providers[0].arrivals) - before


@BOTH
def test_breaker_opens_and_closes(tmp_path: Path, kind: str) -> None:
    async def play() -> None:
        proxy = Proxy.named(kind, breaker={"failures": 3, "open_for": "1s"})
        changes: list[Any] = []

        async def follow(handle: Any) -> None:
            async for change in handle.breaker_changes():
                changes.append((change.provider, change.state, change.source, change.at_ns))  # noqa: PERF401

        async with staged(tmp_path, proxy) as stage, anyio.create_task_group() as group:
            if proxy.tells_breakers:
                group.start_soon(follow, stage.proxy)
            await stage.served(6)
            stage.providers[0].mode = "500"
            onset = time.monotonic_ns()
            assert 3 <= await turned_away(stage, 9) <= 5  # Envoy's worker hears of an ejection a moment later
            opened = time.monotonic_ns()
            assert await turned_away(stage, 9) == 0
            stage.providers[0].mode = "ok"
            await anyio.sleep(1.7 if kind == "envoy" else 2.2)  # nginx's clock ticks in seconds
            assert await turned_away(stage, 9) >= 2
            if proxy.tells_breakers:
                await anyio.sleep(0.15)
                assert [change[:3] for change in changes] == [
                    ("alpha", "open", "envoy outlier log"),
                    ("alpha", "closed", "envoy outlier log"),
                ]
                assert onset - 2_000_000 <= changes[0][3] <= opened + 20_000_000
                assert 900_000_000 <= changes[1][3] - changes[0][3] <= 1_700_000_000
            group.cancel_scope.cancel()

    anyio.run(play)


def test_envoy_ejects_on_refusals_and_hangs(tmp_path: Path) -> None:
    async def play() -> None:
        proxy = Proxy.named("envoy", attempt_timeout="100ms", breaker={"failures": 4, "open_for": "30s"})
        async with staged(tmp_path, proxy) as stage:
            stage.providers[0].mode = "hang"
            await stage.served(6)
            assert 1 <= len(stage.providers[0].arrivals) < 4
            await stage.providers[0].refuse()
            await stage.served(9)
            async for change in stage.proxy.breaker_changes():
                assert (change.provider, change.state) == ("alpha", "open")
                break

    anyio.run(play)


def test_envoy_health_check_takes_a_provider_out(tmp_path: Path) -> None:
    async def play() -> None:
        check = {"every": "100ms", "method": "eth_chainId"}
        proxy = Proxy.named("envoy", breaker=None, health_check=check)
        async with staged(tmp_path, proxy) as stage:
            checks = [body["method"] for _, body in stage.providers[0].arrivals]
            assert set(checks) == {"eth_chainId"}
            await stage.providers[0].refuse()
            changes = stage.proxy.breaker_changes()
            states = []
            with anyio.fail_after(5):
                async for change in changes:
                    states.append((change.provider, change.state, change.source))
                    if change.state == "open" and change.provider == "alpha":
                        break
            assert ("alpha", "open", "envoy health check log") in states

    anyio.run(play)


@BOTH
def test_nothing_is_left_behind(tmp_path: Path, kind: str) -> None:
    async def play() -> int:
        async with staged(tmp_path, Proxy.named(kind)) as stage:
            assert stage.proxy.version.startswith(f"{kind} 1.")
            assert stage.proxy.pid in members(stage.proxy.pid)
            return int(stage.proxy.pid)

    assert members(anyio.run(play)) == []
    assert not list(Path("/dev/shm").glob("envoy_shared_memory_*")) or kind == "nginx"


@BOTH
def test_its_end_in_mid_run_is_seen(tmp_path: Path, kind: str) -> None:
    async def play() -> None:
        async with staged(tmp_path, Proxy.named(kind)) as stage:
            stage.proxy.child.send_signal(9)
            with anyio.fail_after(5):
                assert await stage.proxy.wait() == -9
        assert members(stage.proxy.pid) == []

    anyio.run(play)


async def only_start(path: Path, proxy: Proxy) -> None:
    async with proxy.start([TinyProvider("alpha")], context_in(path)):
        raise AssertionError("it must not start")


@pytest.mark.parametrize(
    ("kind", "good", "bad", "shown"),
    [
        ("envoy", "connect_timeout:", "connect_timeuot:", "connect_timeuot: 0.5s"),
        ("envoy", "  clusters:", "  clusters: [", "envoy.yaml:"),
        ("nginx", "proxy_http_version 1.1", "proxy_http_vresion 1.1", "proxy_http_vresion 1.1;"),
    ],
)
def test_a_refused_configuration_is_shown_with_its_line(
    tmp_path: Path, kind: str, good: str, bad: str, shown: str
) -> None:
    packaged = next(TEMPLATES.glob(f"{kind}.*")).read_text()
    assert good in packaged
    template = tmp_path / "mine.j2"
    template.write_text(packaged.replace(good, bad))
    with pytest.raises(SetupError, match="refuses its configuration") as caught:
        anyio.run(only_start, tmp_path, Proxy.named(kind, template=template))
    place = caught.value.message.splitlines()[-1]
    assert shown in place
    assert f"{tmp_path}/proxy/{kind}." in place
    assert caught.value.log


@BOTH
def test_another_program(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"BATTLE_{kind.upper()}", "/bin/true")
    with pytest.raises(SetupError, match=f"/bin/true is not {kind}") as caught:
        anyio.run(only_start, tmp_path, Proxy.named(kind))
    assert caught.value.hint


FAKE = """#!/bin/sh
case "$*" in
  *--version*) echo "envoy version: abc/1.2.3/Clean";;
  *-v) echo "nginx version: nginx/1.2.3";;
  *validate*|*-t) exit 0;;
  *) echo "I have seen enough"; exit 7;;
esac
"""


@BOTH
def test_an_end_at_the_start_is_told_with_its_last_lines(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "fake"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    monkeypatch.setenv(f"BATTLE_{kind.upper()}", str(fake))
    with pytest.raises(SetupError, match="exit code 7") as caught:
        anyio.run(only_start, tmp_path, Proxy.named(kind))
    assert caught.value.log == "I have seen enough"


def test_a_port_that_was_taken_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        taken = TinyProvider("taken")
        await taken.listen()
        ports = iter([taken.port, TinyProvider("a").port, TinyProvider("b").port, TinyProvider("c").port])
        monkeypatch.setattr("battle.proxies.configured.free_port", lambda: next(ports))
        async with staged(tmp_path, Proxy.named("envoy")) as stage:
            assert stage.proxy.endpoint.port != taken.port
            await stage.served(3)
        await taken.refuse()

    anyio.run(play)


def test_cancelled_while_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> None:
        started.set()
        await asyncio.sleep(60)

    async def play() -> list[int]:
        async with anyio.create_task_group() as group:
            group.start_soon(only_start, tmp_path, Proxy.named("nginx"))
            await started.wait()
            group.cancel_scope.cancel()
        pid = int((tmp_path / "proxy" / "nginx.pid").read_text() or 0) if pid_file.exists() else 0
        return members(pid) if pid else []

    started = asyncio.Event()
    pid_file = tmp_path / "proxy" / "nginx.pid"
    monkeypatch.setattr("battle.proxies.nginx.wait_ready", never)
    assert anyio.run(play) == []
    undo = (tmp_path / "undo.jsonl").read_text()
    assert undo.count('"step"') == undo.count('"undone"') == 3
