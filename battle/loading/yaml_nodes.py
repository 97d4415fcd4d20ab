"""YAML text -> nodes, safely: bounded before anything is built, and typed by our own rules.

The tree is built straight from libyaml's events, which come one at a time, so that depth and size are bounded while
reading: a file of 200,000 brackets (which crashes libyaml's own composer) and an alias bomb are refused at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml

from battle.loading.mistakes import Mistakes
from battle.loading.nodes import Entry, ListNode, MapNode, Mark, Node, ScalarNode, typed

MAX_DEPTH = 40
_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
MAX_NODES = 20_000
MOST_STORED_NODES = 4_000_000
"""A stored scenario also holds the requests of its recordings."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class _Built:
    """A finished subtree: how many levels it has, and how many nodes with its aliases written out."""

    node: Node
    height: int
    size: int


def parse_yaml(text: str, file: Path | None, mistakes: Mistakes, most_nodes: int = MAX_NODES) -> MapNode:
    """The tree of a scenario's text. Raises ScenarioError when it cannot be read to its end."""
    return _Builder(text, file, mistakes, most_nodes).document()


class _Builder:
    def __init__(self, text: str, file: Path | None, mistakes: Mistakes, most_nodes: int) -> None:
        self._text, self._file, self._mistakes, self._most_nodes = text, file, mistakes, most_nodes
        self._anchors: dict[str, _Built] = {}
        self._count = 0
        self._events = self._read()

    def document(self) -> MapNode:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._stop(self._mark(event), "a second YAML document begins here", "one file holds one scenario")
                root = self._build(next(self._events), 1).node
        if root is None:
            self._stop(Mark(self._file, 1, 1), "the file is empty", "`battle init` writes a first scenario")
        if not isinstance(root, MapNode):
            form = "a list" if isinstance(root, ListNode) else "a single value"
            self._stop(root.mark, f"a scenario is a mapping (`key: value`), and this is {form}")
        return root

    def _build(self, event: yaml.Event, depth: int) -> _Built:
        mark = self._mark(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, mark, depth)
        self._bound(mark, depth, 1)
        if getattr(event, "tag", None) is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")  # type: ignore[attr-defined]
            self._mistakes.add(
                mark, f"the YAML tag {tag} is not allowed", "write plain values; quote what must be text"
            )
        if isinstance(event, yaml.ScalarEvent):
            built = _Built(self._scalar(event, mark), 1, 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self._list(mark, depth)
        else:
            built = self._mapping(mark, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = built
        return built

    def _alias(self, event: yaml.AliasEvent, mark: Mark, depth: int) -> _Built:
        known = self._anchors.get(str(event.anchor))
        if known is None:
            self._stop(mark, f"the alias *{event.anchor} stands for nothing that is finished above it")
        self._bound(mark, depth + known.height - 1, known.size)
        return known

    @staticmethod
    def _scalar(event: yaml.ScalarEvent, mark: Mark) -> ScalarNode:
        if event.style:
            return ScalarNode(mark, event.value, event.value)
        return ScalarNode(mark, typed(event.value) if event.value else None, event.value)

    def _list(self, mark: Mark, depth: int) -> _Built:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._build(event, depth + 1))
        return _Built(ListNode(mark, tuple(item.node for item in items)), *_sum(items))

    def _mapping(self, mark: Mark, depth: int) -> _Built:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        below: list[_Built] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, key_mark = self._build(event, depth + 1), self._mark(event)
            value = self._build(next(self._events), depth + 1)
            below += key, value
            if not isinstance(key.node, ScalarNode):
                self._mistakes.add(key_mark, "a key is a single word, not a list or a mapping", "quote a `${…}`")
            elif key.node.text in entries:
                first = entries[key.node.text].mark
                self._mistakes.add(
                    key_mark, f"duplicate key {key.node.text!r}", f"the first is at {first.line}:{first.column}"
                )
            else:
                entries[key.node.text] = Entry(key_mark, value.node)
                if key.node.text == "<<" and isinstance(event, yaml.ScalarEvent) and not event.style:
                    del entries["<<"]
                    merged.append(value.node)
        return _Built(MapNode(mark, self._merge(merged, mark, entries)), *_sum(below))

    def _merge(self, merged: list[Node], mark: Mark, entries: dict[str, Entry]) -> dict[str, Entry]:
        """The entries on top of what `<<` brings in: own keys win, then the first mapping that has the key."""
        if len(merged) > 1:
            self._mistakes.add(mark, "`<<` stands twice in this mapping", "give it a list: `<<: [*a, *b]`")
        under: dict[str, Entry] = {}
        for source in merged:
            for part in source.items if isinstance(source, ListNode) else (source,):
                if isinstance(part, MapNode):
                    under = {**part.entries, **under}
                else:
                    self._mistakes.add(part.mark, "`<<` takes a mapping or a list of mappings")
        return {**under, **entries}

    def _bound(self, mark: Mark, depth: int, nodes: int) -> None:
        self._count += nodes
        if depth > MAX_DEPTH:
            self._stop(mark, _TOO_DEEP)
        if self._count > self._most_nodes:
            self._stop(mark, f"more than {self._most_nodes:,} values, aliases written out")

    def _mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        return Mark(self._file, start.line + 1, start.column + 1) if start else Mark(self._file, 1, 1)

    def _stop(self, mark: Mark, message: str, hint: str | None = None) -> NoReturn:
        self._mistakes.add(mark, message, hint)
        raise self._mistakes.error()

    def _read(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self._text, Loader=_Loader)
        except yaml.reader.ReaderError as error:
            self._stop(self._unreadable(), f"not YAML: {error.reason}")
        except UnicodeEncodeError as error:
            self._stop(self._mark_of(error.start), "not YAML: half of a character (a lone surrogate)")
        except yaml.MarkedYAMLError as error:
            found = error.problem_mark or error.context_mark
            where = Mark(self._file, found.line + 1, found.column + 1) if found else Mark(self._file, 1, 1)
            if "nesting depth" in str(error.problem):  # newer scanners have a limit of their own, far above this one
                self._stop(where, _TOO_DEEP)
            if found and found.index >= len(self._text):
                where = self._mark_of(len(self._text.rstrip()))
            what = " ".join(part for part in (error.context, error.problem) if part)
            self._stop(where, f"not YAML: {what}", self._syntax_hint(found.index if found else 0))

    def _syntax_hint(self, index: int) -> str | None:
        if self._text[max(0, index - 1) : index + 1] == "${":
            return 'quote it: "${…}"'
        if self._text[index : index + 1] == "\t":
            return "indent with spaces, not tabs"
        return None

    def _unreadable(self) -> Mark:
        """The first character that YAML does not allow. The error itself counts bytes, or characters: by the parser."""
        allowed = yaml.reader.Reader.NON_PRINTABLE
        match = allowed.search(self._text)
        return self._mark_of(match.start() if match else 0)

    def _mark_of(self, index: int) -> Mark:
        before = self._text[:index]
        return Mark(self._file, before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def _sum(below: list[_Built]) -> tuple[int, int]:
    """Height and size of a node over these."""
    return 1 + max((part.height for part in below), default=0), 1 + sum(part.size for part in below)
