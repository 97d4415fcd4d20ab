"""The tree of a scenario file: every value with the place it stands at.

Trees are never changed; each stage of loading makes a new one. Marks stay with their values through anchors, `<<`,
`extends` and placeholders, so that a mistake found late still names its line.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 400
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

PlainValue = str | int | float | bool | None
Path_ = tuple[str | int, ...]


def typed(text: str) -> PlainValue:
    """The value of a plain scalar: only true, false, null and decimal JSON numbers are not text."""
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if not match:
        return text
    if match["fraction"] is None and match["exponent"] is None:
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else text


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: Path | None
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value. `masked` is what may be shown of it when parts came from the environment, None when nothing did."""

    mark: Mark
    value: PlainValue
    text: str
    masked: str | None = None


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    mark: Mark
    items: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping, and where its key stands."""

    mark: Mark
    value: "Node"


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping with text keys, in the order of the file."""

    mark: Mark
    entries: dict[str, Entry] = field(default_factory=dict)


Node = ScalarNode | ListNode | MapNode


def scalar(mark: Mark, value: PlainValue) -> ScalarNode:
    """A value that was not read from a file, at a place that stands for it."""
    return ScalarNode(mark, value, value if isinstance(value, str) else json.dumps(value))


def child(node: Node, part: str | int) -> Node | None:
    """The value under a key or an index, None when there is none."""
    if isinstance(node, MapNode) and part in node.entries:
        return node.entries[str(part)].value
    if isinstance(node, ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None


def at(node: Node, path: Sequence[str | int]) -> Node | None:
    """The value at a path, None when there is none."""
    found: Node | None = node
    for part in path:
        found = child(found, part) if found is not None else None
    return found


def place(node: Node, path: Sequence[str | int]) -> Mark:
    """Where to point for a path: the value itself when it is a scalar or in a list, else its key.

    A path that leads nowhere points at the deepest part of it that exists.
    """
    mark, here = node.mark, node
    for part in path:
        below = child(here, part)
        if below is None:
            break
        keyed = isinstance(here, MapNode) and not isinstance(below, ScalarNode)
        mark = here.entries[str(part)].mark if keyed and isinstance(here, MapNode) else below.mark
        here = below
    return mark


def key_place(node: Node, path: Sequence[str | int]) -> Mark:
    """Where the last key of a path stands; `place` when it is no key."""
    parent = at(node, path[:-1]) if path else None
    if isinstance(parent, MapNode) and path[-1] in parent.entries:
        return parent.entries[str(path[-1])].mark
    return place(node, path)


def put(node: Node, path: Sequence[str | int], value: Node | None) -> Node:
    """The tree with another value at a path, or without it (None). A new key is marked as its value is."""
    if not path:
        return value if value is not None else node
    part, below = path[0], child(node, path[0])
    remove = value is None and len(path) == 1
    if below is not None:
        below = None if remove else put(below, path[1:], value)
    elif value is not None:
        below = put(MapNode(value.mark), path[1:], value) if len(path) > 1 else value
    if isinstance(node, ListNode) and isinstance(part, int):
        fitting = (below,) if below is not None else ()
        return replace(node, items=(*node.items[:part], *fitting, *node.items[part + 1 :]))
    if not isinstance(node, MapNode):
        return node
    entries = dict(node.entries)
    if below is None:
        entries.pop(str(part), None)
    else:
        entries[str(part)] = Entry(entries[str(part)].mark if part in entries else below.mark, below)
    return replace(node, entries=entries)


def scalars(node: Node, path: Path_ = ()) -> Iterator[tuple[Path_, ScalarNode]]:
    """Every scalar of a tree with its path."""
    if isinstance(node, ScalarNode):
        yield path, node
    elif isinstance(node, ListNode):
        for index, item in enumerate(node.items):
            yield from scalars(item, (*path, index))
    else:
        for key, entry in node.entries.items():
            yield from scalars(entry.value, (*path, key))


def plain(node: Node) -> Any:
    """The tree as JSON-ready values."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}
