"""Turns due arrivals into calls: keys, the choice of a request, the limit on what is in flight, the final record."""

from collections.abc import Callable

from battle.core.ports.wire import BatchCall, Call, Session
from battle.core.records import REQUEST_MEMBER, REQUEST_PARTLY, Outcome
from battle.core.scenario import BatchRequest, Scenario, Stream
from battle.core.shard import WHOLE, Shard
from battle.engine.recorder import Recorder
from battle.engine.schedule import choices_of_users, share_of


class KeyCounter:
    """A worker's share of the keys of a run, counted up from its base; shared by all streams of the worker."""

    __slots__ = ("base", "next", "step")

    def __init__(self, key_base: int, shard: Shard = WHOLE) -> None:
        self.base = key_base + shard.index
        self.next = self.base
        self.step = shard.of

    @property
    def taken(self) -> int:
        """How many were given out."""
        return (self.next - self.base) // self.step

    def take(self) -> int:
        """The next key."""
        key = self.next
        self.next = key + self.step
        return key


class Dispatcher:
    """Sends the calls of one stream and writes each of them down when it has ended."""

    def __init__(
        self,
        scenario: Scenario,
        name: str,
        keys: KeyCounter,
        recorder: Recorder,
        on_change: Callable[[], None],
        *,
        shard: Shard = WHOLE,
    ) -> None:
        stream = share_of(scenario.workload[name], shard)
        self.stream: Stream = stream
        self.number = list(scenario.workload).index(name)
        self.first_template = next(index for index, it in enumerate(scenario.templates) if it.stream == self.number)
        self._batches = {
            number: len(request.batch)
            for number, request in stream.numbered(self.first_template).items()
            if isinstance(request, BatchRequest)
        }
        self.session: Session
        self.in_flight = 0
        self.dropped = 0
        self._keys = keys
        self._write_one = recorder.write
        self._write = self._write_all if self._batches else recorder.write
        self._limit = stream.in_flight_limit
        self._left = stream.max_requests
        self._max_lag = stream.max_send_lag
        self._choice = choices_of_users(stream, scenario.seed, name, self.first_template, shard)
        self._on_change = on_change

    @property
    def exhausted(self) -> bool:
        """Whether `max_requests` is used up."""
        return self._left == 0

    def dispatch(  # noqa: PLR0917  (by position: the hot path)
        self,
        scheduled_ns: int,
        now_ns: int,
        phase: int,
        template: int | None = None,
        user: int = 0,
        then: Callable[[Call], None] | None = None,
    ) -> bool:
        """Send what was due at `scheduled_ns`, or drop it when too much is in flight or it is too late.

        What is sent is drawn unless a template is given. False when it was not sent: then nobody calls `then`.
        """
        if self._left is not None:
            if self._left == 0:
                return False
            self._left -= 1
        if template is None:
            template = next(self._choice)
        keys = self._keys
        key = keys.next
        keys.next = key + keys.step
        call = Call(key, template, scheduled_ns, phase, user, now_ns)
        if self._batches and template in self._batches:
            call = self._batch_of(call)
        if self.in_flight >= self._limit or (self._max_lag is not None and now_ns - scheduled_ns > self._max_lag):
            call.outcome = Outcome.DROPPED
            self.dropped += self._batches.get(template, 1)
            self._write(call, self.number)
            return False
        self.in_flight += 1
        call.then = then
        self.session.send(call)
        return True

    def report(self, call: Call) -> None:
        """Take a call that has ended; called by the session, once a call."""
        self.in_flight -= 1
        write = self._write  # an attribute that is called where it stands is looked up anew each time
        write(call, self.number)
        then = call.then
        if then is not None:
            then(call)
        if not self.in_flight:
            self._on_change()

    def _batch_of(self, first: Call) -> BatchCall:
        """The batch that begins with this call; the others take the next keys."""
        at, phase, user, now = first.scheduled_ns, first.phase, first.user, first.offered_ns
        templates = range(first.template + 1, first.template + self._batches[first.template])
        others = tuple([Call(self._keys.take(), template, at, phase, user) for template in templates])
        return BatchCall(first.key, first.template, at, phase, user, now, others=others)

    def _write_all(self, call: Call, stream: int) -> None:
        """Write down a call, and those that were in its batch."""
        if isinstance(call, BatchCall):
            self._complete(call)
            for other in call.others:
                self._write_one(other, stream)
        self._write_one(call, stream)

    @staticmethod
    def _complete(batch: BatchCall) -> None:
        """The other calls of a batch were under way with the first. All of them are marked when one was not ok."""
        for other in batch.others:
            other.started_ns, other.ended_ns = batch.started_ns, batch.ended_ns
            other.status, other.connection, other.testimony = batch.status, batch.connection, batch.testimony
            if other.outcome is Outcome.UNFINISHED:
                other.outcome, other.error = batch.outcome, batch.error
        if any(one.outcome is not Outcome.OK for one in (batch, *batch.others)):
            batch.flags |= REQUEST_PARTLY
        for other in batch.others:
            other.flags = batch.flags | REQUEST_MEMBER
