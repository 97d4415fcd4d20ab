"""Recordings: arrivals and what each of them sent, one JSON object a line.

    {"at_ms": 12.5, "method": "eth_call", "params": [{"to": "0x…"}, "latest"]}
    {"at_ms": 13.25, "verb": "GET", "path": "/x"}
    {"at_ms": 20}

`at_ms` counts from the start of the phase that replays it, and never falls. The other keys are those of a request in a
scenario; without them, the stream's own requests are drawn from.
"""

import math
from typing import Any, Final

import numpy as np
import orjson

from battle.core.units import LARGEST, NS_PER_MS

AT: Final = "at_ms"
MOST_TEMPLATES: Final = 65_535
"""Requests that records can tell apart."""
DRAWN: Final = 65_535
"""Stands in a schedule for: any of the stream's own requests."""

ARRIVAL: Final = np.dtype([("offset_ns", "<i8"), ("request", "<u2")])
"""One arrival of a schedule, what a recording is to the engine; `request` is a position among the stream's requests."""


def parse_line(line: bytes) -> tuple[int, dict[str, Any]]:
    """The offset in ns and the request, empty when it is drawn. Raises ValueError that says what is wrong."""
    try:
        request = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON: {str(error).partition(': line')[0]}") from error
    if not isinstance(request, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  (of the text, not of an argument)
    if AT not in request:
        raise ValueError(f"{AT!r} is missing")
    at = request.pop(AT)
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise ValueError(f"{AT!r} is not a number")
    if not 0 <= at <= LARGEST / NS_PER_MS:
        raise ValueError(f"{AT!r} is {at}: it counts milliseconds from the start of the phase")
    return round(at * NS_PER_MS), request


def print_line(offset_ns: int, request: dict[str, Any]) -> bytes:
    """The line of an arrival; parsing it gives the same again."""
    return orjson.dumps({AT: offset_ns / NS_PER_MS, **request}) + b"\n"
