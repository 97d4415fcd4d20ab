"""Envoy's logs of outlier detection and of health checks, read as changes of breakers.

Both are JSON lines whose `timestamp` is wall-clock time in ms. A provider is out of rotation while at least one of the
two keeps it out, so it opens with the first and closes with the last.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from battle.core.ports.proxy import BreakerChange

OUTLIER_LOG = "envoy outlier log"
HEALTH_LOG = "envoy health check log"


@dataclass
class Ejections:
    """Who is out of rotation. `names` maps an address to the provider's name."""

    names: dict[str, str]
    _kept_out: dict[str, set[str]] = field(default_factory=dict)

    def read(self, line: str) -> BreakerChange | None:
        """What a line changes; None when it changes nothing or cannot be read."""
        try:
            event = json.loads(line)
            source, address, out = _meaning(event)
            at_ns = monotonic_ns(event["timestamp"])
        except (ValueError, KeyError, TypeError):
            return None
        provider = self.names.get(address)
        if provider is None:
            return None
        sources = self._kept_out.setdefault(provider, set())
        was_out = bool(sources)
        if out:
            sources.add(source)
        else:
            sources.discard(source)
        if bool(sources) == was_out:
            return None
        return BreakerChange(at_ns, provider, "open" if out else "closed", source)


def _meaning(event: dict[str, Any]) -> tuple[str, str, bool]:
    """Source, address, and whether the host goes out. Raises KeyError for events that change nothing."""
    if "upstream_url" in event:
        return OUTLIER_LOG, event["upstream_url"], {"EJECT": True, "UNEJECT": False}[event["action"]]
    host = event["host"]["socket_address"]
    numeric = f"[{host['address']}]" if ":" in host["address"] else host["address"]
    out = "eject_unhealthy_event" in event
    if not out and "add_healthy_event" not in event:
        raise KeyError("no change of health")
    return HEALTH_LOG, f"{numeric}:{host['port_value']}", out


def monotonic_ns(stamp: str) -> int:
    """The instant of a wall-clock stamp on the monotonic clock, by the difference of the two clocks now."""
    wall = datetime.fromisoformat(stamp).astimezone(UTC)
    now_ns, wall_ns = time.monotonic_ns(), time.time_ns()
    return min(now_ns, now_ns - wall_ns + round(wall.timestamp() * 1000) * 1_000_000)
