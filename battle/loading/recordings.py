"""Recordings of `replay` phases: read when loading, so that every bad line is told before anything starts.

The different requests of a recording are appended to those of its stream, with weight 0, and each arrival is told apart
by its request's position there. A bad request is a mistake at its line, found where all requests are checked.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from errno import ENOENT
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from battle.core.recording import ARRIVAL, DRAWN, MOST_TEMPLATES, parse_line
from battle.core.units import NS_PER_MS, NS_PER_S, format_duration, parse_duration_ns
from battle.loading.mistakes import Mistakes
from battle.loading.nodes import Entry, ListNode, MapNode, Mark, Node, ScalarNode, at, put, scalar
from battle.loading.yaml_nodes import MAX_DEPTH

_MOST_TOLD = 20
_LONGEST_LINE = 1_000_000
_MOST_PARTS = 600

Schedule = NDArray[np.void]
"""A structured array of dtype ARRIVAL."""
Schedules = dict[tuple[str, int], Schedule]
"""By stream and number of the phase."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One `replay` phase as it is written."""

    node: MapNode
    file: ScalarNode
    speed: float
    duration_ns: int | None


class Recordings:
    """Reads the recordings of a scenario. `fill` fills in the placeholders of a request."""

    def __init__(self, fill: Callable[[Node], Node], mistakes: Mistakes) -> None:
        self._fill, self._mistakes = fill, mistakes
        self.schedules: Schedules = {}
        self.notes: list[str] = []

    def applied(self, tree: MapNode) -> MapNode:
        """The tree with what the recordings hold."""
        workload = at(tree, ("workload",))
        result: Node = tree
        for name, entry in workload.entries.items() if isinstance(workload, MapNode) else ():
            if isinstance(entry.value, MapNode):
                result = put(result, ("workload", name), self._stream(name, entry, entry.value))
        return result if isinstance(result, MapNode) else tree

    def _stream(self, name: str, entry: Entry, stream: MapNode) -> Node:
        load = at(stream, ("load",))
        phases = load.items if isinstance(load, ListNode) else (load,)
        asked = {number: found for number, phase in enumerate(phases) if (found := _asked(phase)) is not None}
        if not asked:
            return stream
        own = at(stream, ("requests",))
        if own is not None and not isinstance(own, ListNode):
            return stream
        requests = list(own.items[: _own_requests(own, asked)]) if own else []
        result: Node = stream
        for number, phase in asked.items():
            reader = _Reader(phase, len(requests), self._fill, self._mistakes)
            if not reader.read():
                self._mistakes.settle(entry.mark)  # what the stream lacks now is no other mistake
            requests += reader.requests
            if len(reader):
                self.schedules[name, number] = reader.schedule()
                self.notes += reader.notes()
            path = ("load", number) if isinstance(load, ListNode) else ("load",)
            result = put(result, path, reader.phase())
        if not requests:
            return result
        return put(result, ("requests",), ListNode(own.mark if own else entry.mark, tuple(requests)))


class _Reader:
    """Reads one recording. `first` is the position that its first request gets in the stream."""

    def __init__(self, asked: _Asked, first: int, fill: Callable[[Node], Node], mistakes: Mistakes) -> None:
        self._asked, self._first, self._fill, self._mistakes = asked, first, fill, mistakes
        base = asked.file.mark.file.parent if asked.file.mark.file else Path()
        self._named = base / str(asked.file.value)
        self._path = self._named.absolute()
        self._offsets, self._sent = array("q"), array("H")
        self._known: dict[bytes, int] = {}
        self._beyond = 0
        self._last = 0
        self.requests: list[Node] = []

    def __len__(self) -> int:
        return len(self._offsets)

    def read(self) -> bool:
        """Read the file; False when it has mistakes, which are noted, 20 at most."""
        before = len(self._mistakes.problems)
        try:
            if not self._path.is_file():
                raise FileNotFoundError(ENOENT, "there is no such file")
            with self._path.open("rb") as file:
                for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
                    self._line(Mark(self._named, number, 1), line)
                    if len(self._mistakes.problems) - before >= _MOST_TOLD:
                        self._mistakes.add(Mark(self._named, number + 1, 1), "the lines from here on were not read")
                        break
        except OSError as error:
            hint = "paths are relative to the file that names them"
            self._mistakes.add(self._asked.file.mark, f"{self._asked.file.value!r}: {error.strerror or error}", hint)
        if not self._offsets and len(self._mistakes.problems) == before:
            said = "all of it lies beyond `duration`" if self._beyond else "the file is empty"
            self._mistakes.add(self._asked.file.mark, f"{self._asked.file.value!r}: {said}")
        return len(self._mistakes.problems) == before

    def _line(self, mark: Mark, line: bytes) -> None:
        if not line.strip():
            return
        try:
            offset, request = parse_line(line)
            sent = self._position(request, mark) if request else DRAWN
        except ValueError as error:
            said = str(error) if len(line) < _LONGEST_LINE else f"longer than {_LONGEST_LINE:,} bytes"
            self._mistakes.add(mark, said)
            return
        if offset < self._last:
            said = f"at {offset / NS_PER_MS:g} ms, and a line above is at {self._last / NS_PER_MS:g} ms"
            self._mistakes.add(mark, said, "sort the file by `at_ms`")
            return
        self._last = offset
        offset = round(offset / self._asked.speed)
        if self._asked.duration_ns is not None and offset >= self._asked.duration_ns:
            self._beyond += 1
            return
        self._offsets.append(offset)
        self._sent.append(sent)

    def _position(self, request: dict[str, Any], mark: Mark) -> int:
        """The request's position in the stream; one that was not met before is appended."""
        key = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
        known = self._known.get(key)
        if known is not None:
            return known
        if "weight" in request:
            raise ValueError("unknown key 'weight': a recording draws nothing")
        position = self._first + len(self.requests)
        if position >= MOST_TEMPLATES:
            raise ValueError(
                f"more than {MOST_TEMPLATES:,} different requests; placeholders such as ${{address}} make them one"
            )
        node = self._fill(_node(mark, {**request, "weight": 0}))
        self.requests.append(node)
        self._known[key] = position
        return position

    @property
    def _duration_ns(self) -> int:
        """As asked, else up to the next millisecond after the last arrival."""
        if self._asked.duration_ns is not None:
            return self._asked.duration_ns
        return (self._offsets[-1] // NS_PER_MS + 1) * NS_PER_MS if self._offsets else NS_PER_MS

    def schedule(self) -> Schedule:
        """The arrivals."""
        made = np.empty(len(self._offsets), ARRIVAL)
        made["offset_ns"] = np.frombuffer(self._offsets, np.int64)
        made["request"] = np.frombuffer(self._sent, np.uint16)
        return made

    def notes(self) -> Iterator[str]:
        """What is not sent."""
        if self._beyond:
            said = f"{self._beyond:,} of {self._beyond + len(self):,} arrivals of {self._path.name}"
            yield f"{said} lie beyond the duration of {format_duration(self._duration_ns)} and are not sent"

    def phase(self) -> MapNode:
        """The phase as it stands in the resolved scenario."""
        sent = np.bincount(np.frombuffer(self._sent, np.uint16), minlength=DRAWN + 1)
        count = min(_MOST_PARTS, max(1, -(-self._duration_ns // NS_PER_S)))
        offsets = np.frombuffer(self._offsets, np.int64)
        parts = np.bincount(offsets * count // self._duration_ns, minlength=count)
        recorded = {
            "first": self._first,
            "parts": " ".join(map(str, parts)),
            "requests": " ".join(map(str, sent[self._first : self._first + len(self.requests)])),
            "drawn": int(sent[DRAWN]),
        }
        mark = self._asked.node.mark
        settings = {"file": str(self._path), "duration": format_duration(self._duration_ns), "recorded": recorded}
        entries = self._asked.node.entries
        added = {
            key: Entry(entries[key].mark if key in entries else mark, _node(_mark_of(entries, key, mark), value))
            for key, value in settings.items()
        }
        return MapNode(mark, {**entries, **added})


def _asked(phase: Node | None) -> _Asked | None:
    """A `replay` phase; None for others, and for one whose settings cannot be: those are told of later."""
    if not isinstance(phase, MapNode):
        return None
    kind, file, speed, duration = (at(phase, (key,)) for key in ("kind", "file", "speed", "duration"))
    if not isinstance(kind, ScalarNode) or kind.value != "replay":
        return None
    if not isinstance(file, ScalarNode) or not isinstance(file.value, str):
        return None
    factor = speed.value if isinstance(speed, ScalarNode) else 1
    if isinstance(factor, bool) or not isinstance(factor, int | float) or factor <= 0:
        return None
    try:
        duration_ns = parse_duration_ns(duration.value) if isinstance(duration, ScalarNode) else None
    except ValueError:
        return None
    return _Asked(phase, file, factor, duration_ns) if duration_ns != 0 else None


def _own_requests(requests: ListNode, asked: dict[int, _Asked]) -> int:
    """How many requests are the stream's own: a stored scenario, run again, holds those of its recordings too."""
    firsts = (at(phase.node, ("recorded", "first")) for phase in asked.values())
    numbers = [node.value for node in firsts if isinstance(node, ScalarNode) and isinstance(node.value, int)]
    return min([len(requests.items), *numbers])


def _mark_of(entries: dict[str, Entry], key: str, otherwise: Mark) -> Mark:
    return entries[key].value.mark if key in entries else otherwise


def _node(mark: Mark, value: Any, depth: int = 1) -> Node:
    """JSON as a tree, all of it at one place. Raises ValueError when it is too deep."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return MapNode(mark, {key: Entry(mark, _node(mark, below, depth + 1)) for key, below in value.items()})
    if isinstance(value, list):
        return ListNode(mark, tuple(_node(mark, below, depth + 1) for below in value))
    return scalar(mark, value)
