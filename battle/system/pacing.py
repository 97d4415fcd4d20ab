"""Sends on loopback are not paced: where the system's congestion control is BBR, pacing costs time and adds delays.

Loopback has no congestion to control, and a delay that the generator's own kernel adds would be taken for the server's.
"""

import socket
from contextlib import suppress
from typing import Any

_PLAIN = b"reno"
"""Always there, allowed to every user, and without pacing."""


def do_not_pace(connection: Any) -> None:
    """Give a TCP socket (or what stands for one in a transport) plain congestion control, where the system has it."""
    if hasattr(socket, "TCP_CONGESTION"):
        with suppress(OSError, AttributeError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _PLAIN)
