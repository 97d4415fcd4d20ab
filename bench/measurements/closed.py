"""The closed model with 50 connections: requests a second and CPU for one, against other generators."""

import tempfile
from pathlib import Path
from typing import Any

from bench.figures import Measured, Row, Target, ratios
from bench.machine import GENERATOR
from bench.options import Options
from bench.peers import CONNECTIONS, HEY, K6, LOCUST, WRK, Peer
from bench.server import Server, nginx
from bench.whole import battle_run, ok_per_s, users_scenario
from bench.worker import CHECKED, UNCHECKED, Load, send

_PEERS = (WRK, HEY, K6, LOCUST)
_OURS = ("checked", "unchecked")
_LOAD = {"kind": "users", "users": CONNECTIONS}


def measure(options: Options) -> Measured:
    """Each round: battle with the body checked, wrk between, battle unchecked, then the rest."""
    peers = [peer for peer in _PEERS if not peer.why_absent()]
    with nginx() as server, tempfile.TemporaryDirectory(prefix="bench-closed-") as name:
        rounds = [_round(server, Path(name), peers, options) for _ in range(options.rounds)]
    return Measured(_rows(rounds), rounds)


def _round(server: Server, directory: Path, peers: list[Peer], options: Options) -> dict[str, Any]:
    def ours(request: dict[str, Any]) -> dict[str, float]:
        sent = send(Load(server.port, request, _LOAD, options.seconds))
        return {"per_s": sent.ok_per_s, "cpu_us": sent.cpu_us}

    def theirs(some: list[Peer]) -> dict[str, Any]:
        return {peer.name: vars(peer.run(directory, server.url, options.seconds)) for peer in some}

    nearest = [peer for peer in peers if peer is WRK]
    rest = [peer for peer in peers if peer is not WRK]
    whole = battle_run(users_scenario(server.url, CHECKED, CONNECTIONS, options.seconds), directory, core=GENERATOR)
    return {
        "checked": ours(CHECKED),
        **theirs(nearest),
        "unchecked": ours(UNCHECKED),
        "whole": {"per_s": ok_per_s(whole, options.seconds)},
        **theirs(rest),
    }


def _rows(rounds: list[dict[str, Any]]) -> list[Row]:
    def column(name: str, figure: str) -> list[float]:
        return [one[name][figure] for one in rounds]

    def against(ours: str, peer: Peer, figure: str = "per_s") -> dict[str, Any]:
        if absent := peer.why_absent():
            return {"skipped": absent}
        return {"values": ratios(column(ours, figure), column(peer.name, figure))}

    rows = [Row(f"battle, body {name}", "req/s", column(name, "per_s")) for name in _OURS]
    for peer in _PEERS:
        absent = peer.why_absent()
        rows.append(Row(peer.name, "req/s", () if absent else column(peer.name, "per_s"), skipped=absent))
    return [
        *rows,
        Row("battle run, whole on the same core, body checked", "req/s", column("whole", "per_s")),
        Row("battle ÷ wrk, body unchecked", "×", target=Target(">=", 0.95), **against("unchecked", WRK)),
        Row("battle ÷ wrk, body checked", "×", target=Target(">=", 0.85), **against("checked", WRK)),
        Row("battle ÷ k6, body checked", "×", target=Target(">=", 6), **against("checked", K6)),
        Row("battle, body checked", "µs CPU/req", column("checked", "cpu_us")),
        Row("battle, body unchecked", "µs CPU/req", column("unchecked", "cpu_us")),
        Row("wrk", "µs CPU/req", **_cpu_of(rounds)),
        Row("CPU: battle ÷ wrk, body unchecked", "×", **against("unchecked", WRK, "cpu_us")),
        Row("CPU: battle ÷ wrk, body checked", "×", target=Target("<=", 1.25), **against("checked", WRK, "cpu_us")),
    ]


def _cpu_of(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    absent = WRK.why_absent()
    return {"skipped": absent} if absent else {"values": [one["wrk"]["cpu_us"] for one in rounds]}
