"""Every way to reach a server, and every way in which a server can be wrong, through the real command line."""

import asyncio
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from e2e.command import battle, only_run, run_json
from protocols.certificates import Certificates
from protocols.stage import Asked, Serve, http1

from battle.proxies.binaries import NGINX
from battle.system.addresses import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

SCENARIO = """name: wire
setup:
  proxy: {{kind: url, url: "{url}"}}
workload:
  reads:
    load: {{kind: constant, rate: 50/s, duration: 1s}}
    timeout: 500ms
    requests: [{{method: eth_blockNumber}}]
    {stream}
slo:
  - success_rate >= 90%
"""


def scenario(directory: Path, url: str, stream: str = "max_in_flight: 50") -> Path:
    path = directory / "s.yaml"
    path.write_text(SCENARIO.format(url=url, stream=stream))
    return path


async def good(asked: Asked) -> None:
    asked.result()


@contextmanager
def serving(serve: Serve, where: str | Path = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server in a thread of its own; gives its port, 0 on a Unix socket."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()

    async def run() -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda _, __: None)  # refused handshakes are the point
        if isinstance(where, Path):
            server: asyncio.Server = await asyncio.start_unix_server(connected, where, ssl=context)
        else:
            server = await asyncio.start_server(connected, where, 0, ssl=context)
        port = 0 if isinstance(where, Path) else server.sockets[0].getsockname()[1]
        started.set_result((loop, end, port))
        await end.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    loop, end, port = started.result(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    with ExitStack() as stack:
        yield lambda *args, **more: stack.enter_context(serving(*args, **more))


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


def errors_of(directory: Path, url: str, stream: str = "max_in_flight: 50") -> dict[str, int]:
    """Run it: it fails, nothing is lost, and every request has ended with an error. Gives the errors by class."""
    done = battle("run", "--quiet", scenario(directory, url, stream), cwd=directory)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    run_dir = only_run(directory)
    assert not (run_dir / "logs" / "worker-0.log").read_text()
    requests = json.loads((run_dir / "run.json").read_text())["analysis"]["requests"]
    assert (requests["total"], requests["failed"]) == (50, 50)
    errors: dict[str, int] = requests["errors"]
    return errors


def test_unix_socket(serve: Callable[..., int], tmp_path: Path) -> None:
    serve(http1(good), tmp_path / "proxy.sock")
    code, run = run_json(scenario(tmp_path, f"unix:{tmp_path}/proxy.sock"), cwd=tmp_path)
    assert (code, run["analysis"]["requests"]["ok"]) == (0, 50), run["reasons"]


def test_ipv6(serve: Callable[..., int], tmp_path: Path) -> None:
    try:
        port = serve(http1(good), "::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback: nothing here tests IPv6")
    code, run = run_json(scenario(tmp_path, f"http://[::1]:{port}"), cwd=tmp_path)
    assert (code, run["analysis"]["requests"]["ok"]) == (0, 50), run["reasons"]


def test_tls_with_credentials_that_nobody_gets_to_read(
    serve: Callable[..., int], tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def behave(asked: Asked) -> None:
        if asked.headers.get("authorization") == "Bearer s3cr3t-t0ken":
            asked.result()
        else:
            asked.answer(401, b"")

    port = serve(http1(behave), context=certificates.server())
    name = certificates.ca.name
    path = scenario(
        tmp_path, f"https://127.0.0.1:{port}", f"tls: {{ca: {name}}}\n    auth: {{bearer: '${{env:TOKEN}}'}}"
    )
    monkeypatch.setenv("TOKEN", "s3cr3t-t0ken")
    done = battle("run", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    monkeypatch.delenv("TOKEN")
    files = [file for file in only_run(tmp_path).rglob("*") if file.is_file()]
    assert [file for file in files if b"s3cr3t" in file.read_bytes()] == []
    assert "s3cr3t" not in done.stdout + done.stderr
    certificates.ca.rename(tmp_path / "moved.pem")
    again = battle("judge", "latest", cwd=tmp_path)
    assert again.returncode == 0, again.stderr


def test_insecure_is_shown_before_and_after(
    serve: Callable[..., int], tmp_path: Path, certificates: Certificates
) -> None:
    port = serve(http1(good), context=certificates.server("elsewhere.test", expired=True))
    path = scenario(tmp_path, f"https://127.0.0.1:{port}", "tls: {insecure: true}")
    words = "reads does not check the server's certificate"
    assert words in " ".join(battle("check", path, cwd=tmp_path).stdout.split())
    code, run = run_json(path, cwd=tmp_path)
    assert (code, run["analysis"]["requests"]["ok"]) == (0, 50), run["reasons"]
    assert [(it["level"]) for it in run["notices"] if words in it["text"]] == ["warning"]
    assert words in (only_run(tmp_path) / "report.md").read_text()


@pytest.mark.parametrize("flaw", ["unknown", "expired", "other name"])
def test_a_wrong_certificate(serve: Callable[..., int], flaw: str, tmp_path: Path, certificates: Certificates) -> None:
    name = "elsewhere.test" if flaw == "other name" else "127.0.0.1"
    port = serve(http1(good), context=certificates.server(name, expired=flaw == "expired"))
    trust = "max_in_flight: 50" if flaw == "unknown" else f"tls: {{ca: {certificates.ca}}}"
    assert errors_of(tmp_path, f"https://127.0.0.1:{port}", trust) == {"tls": 50}


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


@pytest.mark.parametrize(
    ("server", "scheme", "errors"),
    [
        (hang_up, "http", {"closed", "reset"}),
        (close_at_once, "http", {"closed", "reset"}),
        (say_nothing, "http", {"timeout"}),
        (greet, "http", {"invalid", "closed"}),  # the greeting may come before the request has left
        (greet, "https", {"tls"}),
        (close_at_once, "https", {"tls"}),
        (say_nothing, "https", {"timeout"}),
    ],
)
def test_a_wrong_server(
    serve: Callable[..., int], server: Serve, scheme: str, errors: set[str], tmp_path: Path
) -> None:
    assert set(errors_of(tmp_path, f"{scheme}://127.0.0.1:{serve(server)}")) <= errors


def test_a_wrong_server_by_httpx(serve: Callable[..., int], tmp_path: Path) -> None:
    found = errors_of(tmp_path, f"http://127.0.0.1:{serve(hang_up)}", "protocol: {kind: httpx}")
    assert set(found) <= {"closed", "reset"}


def test_a_tls_server_behind_an_http_url(serve: Callable[..., int], tmp_path: Path, certificates: Certificates) -> None:
    found = errors_of(tmp_path, f"http://127.0.0.1:{serve(http1(good), context=certificates.server())}")
    assert set(found) <= {"invalid", "closed", "reset"}


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_nobody_listens(where: str, tmp_path: Path) -> None:
    """Counted, not refused: the scenario may be about a proxy that is down. The report says so."""
    url = f"http://127.0.0.1:{free_port()}" if where == "tcp" else f"unix:{tmp_path}/absent.sock"
    assert errors_of(tmp_path, url) == {"connect": 50}
    notices = json.loads((only_run(tmp_path) / "run.json").read_text())["notices"]
    assert any(f"nothing accepts connections at {url.removeprefix('http://')}" in it["text"] for it in notices)


def test_a_host_that_cannot_be_resolved(tmp_path: Path) -> None:
    done = battle("run", "--quiet", scenario(tmp_path, "http://no-such-host.invalid:8545"), cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "'no-such-host.invalid' cannot be resolved" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def nginx(tmp_path: Path, certificates: Certificates) -> Iterator[tuple[int, int, Path]]:
    """A real HTTP/2 server: a port with TLS, one without, and its log of versions."""
    cert, key = certificates.pair("127.0.0.1")
    secure, plain, log = free_port(), free_port(), tmp_path / "versions.log"
    answer = '\'{"jsonrpc": "2.0", "id": 1, "result": "1"}\''
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"""daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;
        events {{}}
        http {{
          log_format version '$server_protocol'; access_log {log} version;
          client_body_temp_path {tmp_path}; proxy_temp_path {tmp_path}; fastcgi_temp_path {tmp_path};
          uwsgi_temp_path {tmp_path}; scgi_temp_path {tmp_path}; http2 on;
          server {{
            listen 127.0.0.1:{secure} ssl; listen 127.0.0.1:{plain};
            ssl_certificate {cert}; ssl_certificate_key {key};
            location / {{ default_type application/json; return 200 {answer}; }}
          }}
        }}"""
    )
    with subprocess.Popen([NGINX.find(), "-p", tmp_path, "-c", config]) as process:
        for _ in range(200):
            with socket.socket() as probe, suppress(OSError):
                probe.connect(("127.0.0.1", plain))
                break
            threading.Event().wait(0.02)
        yield secure, plain, log
        process.terminate()


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_http2_to_a_real_server(
    nginx: tuple[int, int, Path], scheme: str, tmp_path: Path, certificates: Certificates
) -> None:
    secure, plain, log = nginx
    trust = f"\n    tls: {{ca: {certificates.ca}}}" if scheme == "https" else ""
    text = SCENARIO.replace("{{method: eth_blockNumber}}", "{{method: net_version, expect: {{id: any}}}}")
    path = tmp_path / "s.yaml"
    port = secure if scheme == "https" else plain
    path.write_text(text.format(url=f"{scheme}://127.0.0.1:{port}", stream=f"protocol: {{kind: httpx}}{trust}"))
    code, run = run_json(path, cwd=tmp_path)
    assert (code, run["analysis"]["requests"]["ok"]) == (0, 50), (run["reasons"], run["analysis"]["requests"]["errors"])
    assert set(log.read_text().split()) == {"HTTP/2.0"}


def test_http2_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['h2'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = scenario(tmp_path, "http://127.0.0.1:1", "protocol: {kind: httpx}")
    words, hint = "the package h2 is not installed", "pip install 'battle[http2]'"
    checked = battle("check", path, cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert f"{words}; {hint}" in checked.stdout
    done = battle("run", "--quiet", path, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert words in done.stderr
    assert hint in done.stderr
    assert battle("run", "--quiet", scenario(tmp_path, "http://127.0.0.1:1"), cwd=tmp_path).returncode == 1
