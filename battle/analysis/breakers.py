"""Providers out of rotation: by the proxy's own word, else inferred from the traffic."""

from dataclasses import dataclass

import numpy as np

from battle.analysis.evidence import Evidence
from battle.analysis.fault_times import united
from battle.analysis.statistics import Instants
from battle.analysis.traffic import QUIET_NS, Traffic
from battle.analysis.windows import Span, Window
from battle.core.journal import EventKind

FROM_TRAFFIC = "traffic"
"""The source of changes that no proxy told of: the provider got under 10 % of its baseline share of the attempts."""


@dataclass(frozen=True, slots=True)
class Change:
    """A provider went out of rotation (open), came back (closed), or is tried again (half_open)."""

    provider: str
    state: str
    at_ns: int
    source: str


@dataclass(frozen=True, slots=True)
class Breakers:
    """All changes in the order of time. `source` is None when nobody could know, and then `changes` is empty."""

    changes: tuple[Change, ...]
    source: str | None
    end_ns: int

    def of(self, provider: str, state: str) -> list[int]:
        """When a provider came into a state."""
        return [change.at_ns for change in self.changes if change.provider == provider and change.state == state]

    def counted(self, state: str, spans: tuple[Span, ...]) -> int:
        """How many changes into a state fall into the spans."""
        return sum(change.state == state and _inside(change.at_ns, spans) for change in self.changes)

    def open_spans(self) -> list[tuple[str, Span]]:
        """From each open to the next close of the same provider, else to the end of the load."""
        since: dict[str, int] = {}
        spans = []
        for change in self.changes:
            if change.state == "open":
                since.setdefault(change.provider, change.at_ns)
            elif change.state == "closed" and change.provider in since:
                spans.append((change.provider, (since.pop(change.provider), change.at_ns)))
        return spans + [(name, (start, self.end_ns)) for name, start in since.items() if start < self.end_ns]

    def open_ns(self, spans: tuple[Span, ...]) -> int:
        """How long providers were out of rotation within the spans, summed over the providers."""
        total = 0
        for name in {name for name, _ in self.open_spans()}:
            own = united([span for one, span in self.open_spans() if one == name])
            total += sum(max(0, min(b, stop) - max(a, start)) for a, b in own for start, stop in spans)
        return total


def find_breakers(evidence: Evidence, traffic: Traffic, baseline: Window, end_ns: int) -> Breakers:
    """The proxy's word where it has one, else what the traffic shows."""
    told = [
        Change(
            str(event.fields["provider"]),
            str(event.fields["state"]),
            event.at_ns,
            str(event.fields.get("source") or "the proxy"),
        )
        for event in evidence.of_kind(EventKind.BREAKER)
    ]
    proxy = evidence.scenario.setup.proxy
    if told or proxy.tells_breakers:
        sources = dict.fromkeys(change.source for change in told)
        return Breakers(tuple(sorted(told, key=lambda one: one.at_ns)), ", ".join(sources) or "the proxy", end_ns)
    names = evidence.scenario.provider_names
    if proxy.kind == "none" or len(names) < 2 or not len(traffic.at_ns):  # noqa: PLR2004  (nothing to rotate)
        return Breakers((), None, end_ns)
    changes: list[Change] = []
    for number, name in enumerate(names):
        changes += _inferred(traffic, number, name, baseline, end_ns)
    return Breakers(tuple(sorted(changes, key=lambda one: one.at_ns)), FROM_TRAFFIC, end_ns)


def _inferred(traffic: Traffic, number: int, name: str, baseline: Window, end_ns: int) -> list[Change]:
    """Opens where the provider is turned away from; closes at the first attempt after which it no longer is."""
    if not baseline.spans:
        return []
    (start, stop), *_ = baseline.spans
    share = traffic.share(number, start, stop)
    if not share:
        return []
    changes: list[Change] = []
    at = start
    own = traffic.of(number)
    while (opened := traffic.quiet_from(number, share, at, end_ns)) is not None:
        opened = _last_before_silence(own, opened)
        changes.append(Change(name, "open", opened, FROM_TRAFFIC))
        back = traffic.back_from(number, share, opened)
        if back is None or back >= end_ns:
            break
        changes.append(Change(name, "closed", back, FROM_TRAFFIC))
        at = back
    return changes


def _last_before_silence(own: Instants, from_ns: int) -> int:
    """The attempt after which it is quiet for longest, of those in the span that showed the provider turned away from.

    Under 10 % is not none: a few attempts can still follow the instant from which that holds.
    """
    first, last = np.searchsorted(own, (from_ns, from_ns + QUIET_NS), side="left")
    attempts = np.concatenate(([from_ns], own[first:last]))
    following = np.append(attempts[1:], own[last] if last < len(own) else np.iinfo(np.int64).max)
    return int(attempts[np.argmax(following - attempts)])


def _inside(at_ns: int, spans: tuple[Span, ...]) -> bool:
    return any(start <= at_ns < stop for start, stop in spans)
