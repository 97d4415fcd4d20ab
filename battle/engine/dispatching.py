"""Turns due arrivals into calls: keys, the choice of a request, the limit on what is in flight, the final record."""

import itertools
from collections.abc import Callable, Iterator

from battle.core.ports.load import OpenPattern
from battle.core.ports.wire import Call, Session
from battle.core.records import Outcome
from battle.core.scenario import Scenario, Stream
from battle.core.seeds import generator
from battle.engine.recorder import Recorder

_BLOCK = 1024


class KeyCounter:
    """Keys of a run, counted up from its base; shared by all streams of a worker."""

    __slots__ = ("base", "next")

    def __init__(self, key_base: int) -> None:
        self.next = key_base
        self.base = key_base

    @property
    def taken(self) -> int:
        """How many were given out."""
        return self.next - self.base


class Dispatcher:
    """Sends the calls of one stream and writes each of them down when it has ended."""

    def __init__(
        self,
        scenario: Scenario,
        name: str,
        keys: KeyCounter,
        recorder: Recorder,
        on_change: Callable[[], None],
    ) -> None:
        stream = scenario.workload[name]
        self.stream: Stream = stream
        self.number = list(scenario.workload).index(name)
        self.first_template = next(index for index, it in enumerate(scenario.templates) if it.stream == self.number)
        self.session: Session
        self.in_flight = 0
        self.dropped = 0
        self._keys = keys
        self._write = recorder.write
        self._limit = stream.in_flight_limit
        self._left = stream.max_requests
        self._max_lag = stream.max_send_lag
        self._choice = _choices(stream, scenario.seed, name, self.first_template)
        self._on_change = on_change

    @property
    def exhausted(self) -> bool:
        """Whether `max_requests` is used up."""
        return self._left == 0

    def dispatch(
        self, scheduled_ns: int, now_ns: int, phase: int, user: int = 0, then: Callable[[Call], None] | None = None
    ) -> bool:
        """Send what was due at `scheduled_ns`, or drop it when too much is in flight or it is too late.

        False when it was not sent: then nobody calls `then`.
        """
        if self._left is not None:
            if self._left == 0:
                return False
            self._left -= 1
        keys = self._keys
        key = keys.next
        keys.next = key + 1
        call = Call(key, next(self._choice), scheduled_ns, phase, user, now_ns)
        if self.in_flight >= self._limit or (self._max_lag is not None and now_ns - scheduled_ns > self._max_lag):
            call.outcome = Outcome.DROPPED
            self.dropped += 1
            self._write(call, self.number)
            return False
        self.in_flight += 1
        call.then = then
        self.session.send(call)
        return True

    def report(self, call: Call) -> None:
        """Take a call that has ended; called by the session, once a call."""
        self.in_flight -= 1
        self._write(call, self.number)
        then = call.then
        if then is not None:
            then(call)
        if not self.in_flight:
            self._on_change()


def _choices(stream: Stream, seed: int, name: str, first: int) -> Iterator[int]:
    """Template numbers, drawn by weight from the stream's own random numbers."""
    if len(stream.requests) == 1:
        return itertools.repeat(first)
    return _drawn(stream, seed, name, first)


def _drawn(stream: Stream, seed: int, name: str, first: int) -> Iterator[int]:
    rng = generator(seed, "requests", name)
    weights = [request.weight for request in stream.requests]
    total = sum(weights)
    shares = [weight / total for weight in weights]
    while True:
        yield from (rng.choice(len(shares), _BLOCK, p=shares) + first).tolist()


def arrivals(stream: Stream, seed: int, name: str) -> Iterator[tuple[int, int]]:
    """(offset in ns from the start of the load, phase) of every open arrival of a stream, in order. Pure."""
    start = 0
    for index, pattern in enumerate(stream.load):
        if isinstance(pattern, OpenPattern):
            for offset in pattern.arrivals(generator(seed, "arrivals", name, str(index))):
                yield start + offset, index
        start += pattern.duration
