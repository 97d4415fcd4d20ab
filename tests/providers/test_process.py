"""Commands and URLs as providers."""

import shlex
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from providers.stage import BASE, Peer, Stage, started

from battle.core.ports.provider import Faultable, Killable, Pausable, Provider, Recording
from battle.errors import BattleError, MissingDependency, SetupError
from battle.system.addresses import free_port, in_use

pytestmark = pytest.mark.e2e

NODE = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Node(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200 if self.path == "/health" else 404, {})
    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.reply(200, {"id": call["id"], "result": os.environ.get("COLOUR")})
    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Node).serve_forever()
"""
COMMAND = [sys.executable, "-c", NODE, "{port}"]


def play(test: Any, directory: Path, **settings: Any) -> None:
    """Run a test coroutine with a provider; the first error in a group is raised."""

    async def run() -> None:
        stage = Stage(directory)
        async with Provider.named(**settings).start("alpha", stage.context) as handle:
            await test(stage, handle)

    try:
        anyio.run(run)
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def nothing(stage: Stage, handle: Any) -> None: ...


@pytest.mark.parametrize("ready", ["eth_blockNumber", "/health", "tcp"])
@pytest.mark.parametrize("command", [COMMAND, shlex.join(COMMAND)], ids=["list", "text"])
def test_a_command_becomes_ready_is_killed_and_comes_back(command: Any, ready: str, tmp_path: Path) -> None:
    async def test(stage: Stage, handle: Any) -> None:
        assert isinstance(handle, Killable)
        assert isinstance(handle, Pausable)
        assert not isinstance(handle, Faultable | Recording)
        with Peer(handle.endpoint) as peer:
            assert peer.ask(BASE)[2] == {"id": BASE, "result": "green"}
        assert await handle.kill(in_flight=1, give_up_ns=10**9) == -1
        assert not in_use(handle.endpoint.port)
        await handle.restart()
        with Peer(handle.endpoint) as peer:
            assert peer.ask(BASE)[2] == {"id": BASE, "result": "green"}
        await handle.terminate()
        assert not in_use(handle.endpoint.port)
        assert stage.ends() == [(True, -9), (True, -15)]

    play(test, tmp_path, kind="process", command=command, ready=ready, env={"COLOUR": "green"})


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(MissingDependency) as raised:
        play(nothing, tmp_path, kind="process", command="battle-has-no-such-command {port}")
    assert "battle-has-no-such-command" in raised.value.message
    assert raised.value.hint


def test_a_command_that_ends_at_its_start_shows_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as raised:
        play(nothing, tmp_path, kind="process", command=[sys.executable, "-c", "print('no licence'); exit(3)"])
    assert "exit code 3" in raised.value.message
    assert raised.value.log == "no licence"


def test_a_url_is_taken_as_it_is(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as (stage, mock):
            one = Provider.named("url", url=f"{mock.endpoint.url}/rpc/")
            async with one.start("beta", stage.context) as handle:
                assert (handle.name, handle.endpoint.port, handle.endpoint.path) == ("beta", mock.endpoint.port, "/rpc")
                assert not isinstance(handle, Killable | Pausable | Faultable | Recording)

    anyio.run(run)


def test_a_url_where_nothing_listens(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="nothing listens"):
        play(nothing, tmp_path, kind="url", url=f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("url", ["127.0.0.1:8545", "ftp://x", "http://"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises((ValueError, BattleError), match="not a URL"):
        Provider.named("url", url=url)
