"""nginx with one worker that answers every request from its configuration."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from battle.proxies.binaries import NGINX
from battle.system.addresses import LOOPBACK, free_port, in_use
from bench.machine import SERVER, pinned

ANSWER = '{"jsonrpc":"2.0","id":123456789012345678,"result":"0x1b4c7f92a5d3e8b0"}'
"""71 bytes. The id is fixed, since nginx cannot echo it."""
_CONFIG = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    server {{
        listen {host}:{port} backlog=4096;
        location / {{
            default_type application/json;
            return 200 '{answer}';
        }}
    }}
}}
"""
_START_S = 10


@dataclass(frozen=True)
class Server:
    """A server that runs: where, and the process that answers."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}/"


@contextmanager
def nginx() -> Iterator[Server]:
    """Start it, pinned to the server's core."""
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as name:
        port = free_port()
        config = Path(name) / "nginx.conf"
        config.write_text(_CONFIG.format(host=LOOPBACK, port=port, answer=ANSWER))
        with pinned(SERVER):
            process = subprocess.Popen([NGINX.find(), "-e", "stderr", "-p", name, "-c", config])
        try:
            yield Server(port, _worker_pid(process, port))
        finally:
            process.terminate()
            process.wait(_START_S)


def _worker_pid(master: "subprocess.Popen[bytes]", port: int) -> int:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and master.poll() is None:
        children = psutil.Process(master.pid).children()
        if children and in_use(port):
            return children[0].pid
        time.sleep(0.01)
    master.kill()
    raise RuntimeError("nginx did not start")
