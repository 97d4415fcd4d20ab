"""The mock provider as a real process: answers, records, faults, and what survives a SIGKILL."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from providers.stage import BASE, Peer, raw, request, started

from battle.core.effects import Effect
from battle.core.keys import ADDRESS_PREFIX, PROBE_ID, traceparent
from battle.core.records import KeySource
from battle.errors import SetupError
from battle.system.addresses import in_use
from battle.system.groups import members

pytestmark = pytest.mark.e2e


def play(test: Any, directory: Path, **settings: Any) -> None:
    """Run a test coroutine with a provider that runs."""

    async def run() -> None:
        async with started(directory, **settings) as (stage, handle):
            await test(stage, handle)

    anyio.run(run)


async def in_thread(function: Any, *arguments: Any, **named: Any) -> Any:
    return await anyio.to_thread.run_sync(partial(function, *arguments, **named))


def asked(handle: Any, *keys: Any, **kind: Any) -> list[tuple[int, dict[str, str], Any]]:
    with Peer(handle.endpoint) as peer:
        return [peer.ask(key, **kind) for key in keys]


def test_it_answers_and_records_and_ends(tmp_path: Path) -> None:
    pids: list[int] = []

    async def test(stage: Any, handle: Any) -> None:
        answers = await in_thread(asked, handle, BASE + 1, BASE + 2)
        assert [(status, body["id"]) for status, _, body in answers] == [(200, BASE + 1), (200, BASE + 2)]
        found = stage.attempts(handle)
        assert found["key"].tolist() == [BASE + 1, BASE + 2]
        assert (found["answered_ns"] >= found["arrived_ns"]).all()
        assert found["executed"].tolist() == [1, 1]
        assert found["status"].tolist() == [200, 200]
        assert found["height"].tolist() == [int(body["result"], 16) for _, _, body in answers]
        assert set(found["key_source"]) == {KeySource.ID}
        pids.append(stage.events[0].fields["pid"])

    play(test, tmp_path)
    assert members(pids[0]) == []


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ({"key": 5, "headers": f"TraceParent: {traceparent(BASE + 9)}\r\n"}, KeySource.HEADER),
        (
            {"key": "x", "params": [f"{ADDRESS_PREFIX}{BASE + 9:014x}", "latest"], "method": "eth_getBalance"},
            KeySource.PARAM,
        ),
        ({"key": 1, "params": [BASE + 9], "method": "eth_getBalance"}, KeySource.PARAM),
        ({"key": 5}, KeySource.NONE),
    ],
)
def test_the_key_is_found_wherever_it_travels(kind: dict[str, Any], source: KeySource, tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        await in_thread(asked, handle, kind.pop("key"), **kind)
        (found,) = stage.attempts(handle)
        assert found["key_source"] == source
        assert found["key"] == (0 if source is KeySource.NONE else BASE + 9)

    play(test, tmp_path)


def test_probes_are_answered_and_not_recorded(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        await handle.apply(2, [Effect(status=503, share=0.0)])
        answers = await in_thread(asked, handle, PROBE_ID)
        assert answers[0][0] == 503
        assert len(stage.attempts(handle)) == 0

    play(test, tmp_path)


def test_batches_pipelines_split_bytes_and_nonsense(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        def talk() -> None:
            with Peer(handle.endpoint) as peer:
                batch = [{"jsonrpc": "2.0", "id": BASE + n, "method": "eth_chainId"} for n in range(3)]
                peer.send(raw(json.dumps(batch).encode()))
                assert [reply["id"] for reply in peer.read()[2]] == [BASE, BASE + 1, BASE + 2]
                peer.send(request(BASE + 10) + request(BASE + 11) + request(BASE + 12))
                assert [peer.read()[2]["id"] for _ in range(3)] == [BASE + 10, BASE + 11, BASE + 12]
                for byte in request(BASE + 20):
                    peer.send(bytes([byte]))
                assert peer.read()[2]["id"] == BASE + 20
                peer.send(raw(b"{nonsense"))
                assert peer.read()[2]["error"]["code"] == -32700
                peer.send(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                status, headers, _ = peer.read()
                assert (status, headers["connection"]) == (200, "close")
                with pytest.raises(EOFError):
                    peer.read()

        await in_thread(talk)
        found = stage.attempts(handle)
        keyed = found[found["key"] != 0]
        assert (keyed["key"] - BASE).tolist() == [0, 1, 2, 10, 11, 12, 20]
        assert keyed["batch_index"].tolist() == [0, 1, 2, 0, 0, 0, 0]

    play(test, tmp_path, latency="5ms")


def test_settings_of_single_methods(tmp_path: Path) -> None:
    async def test(_: Any, handle: Any) -> None:
        slow = time.monotonic()
        ((_, _, body),) = await in_thread(asked, handle, BASE, method="eth_call", params=["0x1"])
        assert body["result"] is None
        assert time.monotonic() - slow >= 0.05
        ((_, _, body),) = await in_thread(asked, handle, BASE, method="broken")
        assert body["error"]["code"] == 7

    methods = {"eth_call": {"result": None, "latency": "50ms"}, "broken": {"error": {"code": 7, "message": "m"}}}
    play(test, tmp_path, methods=methods)


def test_what_was_recorded_survives_sigkill_and_the_port_is_kept(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        await in_thread(asked, handle, *range(BASE, BASE + 50))
        before = handle.endpoint
        await handle.kill()
        assert not in_use(before.port)
        assert len(stage.attempts(handle)) == 50
        await handle.restart()
        await in_thread(asked, handle, BASE + 100)
        assert handle.endpoint == before
        assert stage.attempts(handle)["incarnation"].tolist() == [1] * 50 + [2]
        assert stage.ends() == [(True, -9)]

    play(test, tmp_path)


def test_a_kill_waits_for_requests_that_are_being_served(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        def serve_then_wait() -> None:
            time.sleep(0.2)
            with Peer(handle.endpoint) as peer:
                peer.send(request(BASE + 5))
                with pytest.raises((EOFError, ConnectionResetError)):
                    peer.read()

        async with anyio.create_task_group() as group:
            group.start_soon(in_thread, serve_then_wait)
            assert await handle.kill(in_flight=1, give_up_ns=4_000_000_000) == 1
        (found,) = stage.attempts(handle)
        assert (found["key"], found["answered_ns"], found["closed_ns"]) == (BASE + 5, 0, 0)

    play(test, tmp_path, latency="300ms")


def test_a_kill_that_finds_nothing_gives_up_in_time_and_kills(tmp_path: Path) -> None:
    async def test(_: Any, handle: Any) -> None:
        began = time.monotonic()
        assert await handle.kill(in_flight=1, give_up_ns=200_000_000) == 0
        assert time.monotonic() - began < 5
        assert not in_use(handle.endpoint.port)

    play(test, tmp_path)


def test_a_pause_is_silence_and_ends(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        await handle.pause()

        def unanswered() -> None:
            with Peer(handle.endpoint, timeout=0.3) as peer, pytest.raises(TimeoutError):
                peer.ask(BASE)

        await in_thread(unanswered)
        undo = (stage.directory / "undo.jsonl").read_text()
        assert "SIGCONT" in undo
        await handle.resume()
        assert (await in_thread(asked, handle, BASE + 1))[0][0] == 200
        found = stage.attempts(handle)
        late = found[found["key"] == BASE]
        assert len(late) <= 1  # what sat in the socket is read after SIGCONT, and its peer is gone

    play(test, tmp_path)


def test_kill_and_pause_compose(tmp_path: Path) -> None:
    async def test(_: Any, handle: Any) -> None:
        await handle.pause()
        await handle.kill()
        await handle.restart()  # the pause is still in force

        def silent() -> None:
            with Peer(handle.endpoint, timeout=0.3) as peer, pytest.raises(TimeoutError):
                peer.ask(BASE)

        await in_thread(silent)
        await handle.resume()
        assert (await in_thread(asked, handle, BASE))[0][0] == 200
        await handle.kill()
        await handle.kill()
        await handle.restart()
        assert not in_use(handle.endpoint.port)  # the other kill is still in force
        await handle.restart()
        assert (await in_thread(asked, handle, BASE))[0][0] == 200

    play(test, tmp_path)


def test_effects_hold_after_a_restart_and_leave_together_with_their_fault(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        await handle.apply(0, [Effect(status=500)])
        await handle.apply(5, [Effect(rpc_error={"code": -9, "message": "m"})])
        assert (await in_thread(asked, handle, BASE))[0][0] == 500
        await handle.kill()
        await handle.withdraw(0)
        await handle.restart()
        status, _, body = (await in_thread(asked, handle, BASE + 1))[0]
        assert (status, body["error"]["code"]) == (200, -9)
        await handle.withdraw(5)
        assert "result" in (await in_thread(asked, handle, BASE + 2))[0][2]
        assert stage.attempts(handle)["faults"].tolist() == [0b100001, 0b100000, 0]
        assert stage.attempts(handle)["executed"].tolist() == [0, 0, 1]

    play(test, tmp_path)


def test_a_hang_keeps_the_connection_and_records_that_the_peer_left(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        await handle.apply(1, [Effect(hang=True)])

        def unanswered() -> None:
            with Peer(handle.endpoint, timeout=0.3) as peer, pytest.raises(TimeoutError):
                peer.ask(BASE)

        await in_thread(unanswered)
        await anyio.sleep(0.2)
        (found,) = stage.attempts(handle)
        assert found["answered_ns"] == 0
        assert found["closed_ns"] > found["arrived_ns"]
        assert found["faults"] == 2

    play(test, tmp_path)


def test_an_end_that_nobody_asked_for_is_noted(tmp_path: Path) -> None:
    async def test(stage: Any, handle: Any) -> None:
        os.kill(stage.events[0].fields["pid"], signal.SIGKILL)
        with anyio.fail_after(5):
            while not stage.ends():  # noqa: ASYNC110
                await anyio.sleep(0.01)
        assert stage.ends() == [(False, -9)]
        assert handle.is_running is False

    play(test, tmp_path)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as (_, handle):
            other = tmp_path / "other"
            other.mkdir()
            with pytest.raises(BaseException) as raised:  # noqa: PT011  (a group, looked into below)
                async with started(other, port=handle.endpoint.port):
                    pass
            error: BaseException = raised.value
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            assert isinstance(error, SetupError)
            assert str(handle.endpoint.port) in error.message

    anyio.run(run)
