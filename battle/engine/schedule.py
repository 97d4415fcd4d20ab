"""What is due when, and what it sends: the same on every worker, each of which plays its own share. Pure."""

import itertools
from collections.abc import Iterator

from battle.core.ports.load import ClosedPattern, OpenPattern, ScriptedPattern
from battle.core.scenario import Scenario, Stream
from battle.core.seeds import generator
from battle.core.shard import WHOLE, Shard
from battle.errors import UsageError

_BLOCK = 1024

Arrival = tuple[int, int, int]
"""Offset in ns from the start of the load, phase, template."""


def arrivals(stream: Stream, seed: int, name: str, first: int = 0, shard: Shard = WHOLE) -> Iterator[Arrival]:
    """A share of the open arrivals of a stream, in order; the stream's templates count from `first`.

    Every share draws all of them, so that what arrival k is does not depend on how many workers there are.
    """
    whole = _arrivals(stream, seed, name, first)
    return whole if shard == WHOLE else itertools.islice(whole, shard.index, None, shard.of)


def _arrivals(stream: Stream, seed: int, name: str, first: int) -> Iterator[Arrival]:
    chosen = _choices(stream, first, seed, "requests", name)
    numbers = list(stream.numbered(first))
    start = 0
    for index, pattern in enumerate(stream.load):
        if isinstance(pattern, ScriptedPattern):
            for offset, at in pattern.script():
                yield start + offset, index, next(chosen) if at is None else numbers[at]
        elif isinstance(pattern, OpenPattern):
            for offset in pattern.arrivals(generator(seed, "arrivals", name, str(index))):
                yield start + offset, index, next(chosen)
        start += pattern.duration


def end_of_open_phases(stream: Stream) -> int:
    """The offset at which the last open phase of a stream ends; 0 when there is none. Also a pause is one."""
    end = start = 0
    for pattern in stream.load:
        start += pattern.duration
        if isinstance(pattern, OpenPattern):
            end = start
    return end


def choices_of_users(stream: Stream, seed: int, name: str, first: int, shard: Shard = WHOLE) -> Iterator[int]:
    """A share of the templates that users send, in the order in which they come to send; endless."""
    return itertools.islice(_choices(stream, first, seed, "requests", name, "users"), shard.index, None, shard.of)


def _choices(stream: Stream, first: int, seed: int, *names: str) -> Iterator[int]:
    """Template numbers, drawn by weight from random numbers of their own."""
    weighted = [number for number, request in stream.numbered(first).items() if request.weight]
    if len(weighted) <= 1:
        return itertools.repeat(weighted[0] if weighted else first)
    return _drawn(stream, first, seed, *names)


def _drawn(stream: Stream, first: int, seed: int, *names: str) -> Iterator[int]:
    rng = generator(seed, *names)
    numbers = list(stream.numbered(first))
    weights = [request.weight for request in stream.requests]
    total = sum(weights)
    shares = [weight / total for weight in weights]
    while True:
        yield from rng.choice(numbers, _BLOCK, p=shares).tolist()


def share_of(stream: Stream, shard: Shard) -> Stream:
    """The stream with a share of its limits, so that they hold over all workers together."""
    if shard == WHOLE:
        return stream
    limits: dict[str, int | None] = {
        "max_in_flight": shard.part(stream.in_flight_limit),
        "connections": shard.part(stream.connection_limit),
        "max_requests": None if stream.max_requests is None else shard.part(stream.max_requests),
    }
    return stream.model_copy(update=limits)


def refuse_too_many(scenario: Scenario, workers: int) -> None:
    """Raises UsageError when a limit of the scenario is too small for every worker to have a share of it."""
    for name, stream in scenario.workload.items():
        limits = {
            "max_in_flight": stream.in_flight_limit,
            "connections": stream.connection_limit,
            "max_requests": stream.max_requests or workers,
        }
        if stream.max_requests:  # a worker without users would keep its share of them
            users = [phase.peak_users() for phase in stream.load if isinstance(phase, ClosedPattern)]
            limits["users"] = min(users, default=workers)
        for limit, allowed in limits.items():
            if allowed < workers:
                raise UsageError(
                    f"{workers} workers cannot share `{limit}: {allowed}` of stream {name!r}",
                    hint=f"--workers {allowed} at most, or a larger `{limit}`",
                )
