"""Connections on loopback are not paced."""

import socket
import sys
from pathlib import Path

import pytest

from battle.system.pacing import do_not_pace

_ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a socket choose its congestion control")
def test_a_socket_gets_plain_congestion_control() -> None:
    others = [name for name in _ALLOWED.read_text().split() if name != "reno"]
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        if others:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, others[0].encode())
        do_not_pace(connection)
        found = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    assert found.rstrip(b"\0") == b"reno"


def test_what_is_no_tcp_socket_is_left_alone() -> None:
    first, second = socket.socketpair()
    with first, second:
        do_not_pace(first)
    do_not_pace(None)
