"""`${name}`, `${env:NAME}` and the placeholders that wait for each request.

A scalar that is exactly one placeholder takes the value with its type (also a list or a mapping); inside other text
the value is written out. Values from the environment are text, and are remembered so that they can be masked.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

from battle.core.names import PATTERN
from battle.core.scenario import MASK
from battle.loading.csv_files import CsvFiles
from battle.loading.mistakes import Mistakes, nearest, suggestion
from battle.loading.nodes import Entry, ListNode, MapNode, Mark, Node, PlainValue, ScalarNode, scalar
from battle.loading.yaml_nodes import MAX_DEPTH

MAX_VALUES = 100_000
MAX_CHARACTERS = 1_000_000
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_PER_REQUEST = re.compile(r"key|key:hex|address|(?:int|choice):.+", re.DOTALL)
_CSV = "csv:"
_RESERVED = ("key", "address")


class _Unresolved(Exception):  # noqa: N818  (a jump, not an error: the mistake is already noted)
    """A placeholder stands for nothing."""


class Placeholders:
    """The values of placeholders: `vars`, with `--set` on top, and the environment; and columns of CSV files."""

    def __init__(
        self,
        variables: MapNode,
        overrides: Mapping[str, PlainValue],
        environment: Mapping[str, str],
        mistakes: Mistakes,
        csv_files: CsvFiles,
    ) -> None:
        self._environment, self._mistakes, self._csv_files = environment, mistakes, csv_files
        self._mark = variables.mark
        self._declared = {key: entry.value for key, entry in variables.entries.items()}
        self._variables: dict[str, Node] = dict(self._declared)
        for name, value in overrides.items():
            mark = self._declared[name].mark if name in self._declared else variables.mark
            self._variables[name] = scalar(mark, value)
        self._overrides = set(overrides)
        self._open: list[str] = []
        self._used: set[str] = set()
        self._values = self._characters = 0
        for name in _RESERVED:
            if name in variables.entries:
                mistakes.add(
                    variables.entries[name].mark, f"{name!r} cannot be a var: ${{{name}}} is filled per request"
                )

    def variables(self) -> MapNode:
        """All vars with their values, as they stand in the resolved scenario."""
        names = [name for name in self._variables if name in self._declared or name in self._used]
        values = ((name, self._variables[name]) for name in names)
        return MapNode(self._mark, {name: Entry(value.mark, self.resolve(value)) for name, value in values})

    def check_overrides(self) -> None:
        """Refuse `--set` of names that nothing declares or uses."""
        for name in sorted(self._overrides - set(self._declared) - self._used):
            hint = suggestion(name, self._declared, what="vars") or "the scenario has no vars"
            self._mistakes.add_usage(f"--set {name}=…: the scenario has no var {name!r}", hint)

    def fill(self, node: Node) -> Node:
        """A tree from elsewhere with its placeholders filled in; it may be as large as a scenario."""
        self._values = self._characters = 0
        return self.resolve(node)

    def resolve(self, node: Node, depth: int = 1) -> Node:
        """The tree with every placeholder filled in that can be filled in now."""
        self._values += 1
        if depth > MAX_DEPTH or self._values > MAX_VALUES or self._characters > MAX_CHARACTERS:
            self._mistakes.add(node.mark, "vars that hold vars make this too large or too deep")
            raise self._mistakes.error()
        if isinstance(node, ListNode):
            return replace(node, items=tuple(self.resolve(item, depth + 1) for item in node.items))
        if isinstance(node, MapNode):
            resolved = {
                key: Entry(entry.mark, self.resolve(entry.value, depth + 1)) for key, entry in node.entries.items()
            }
            return replace(node, entries=resolved)
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        try:
            return self._fill(node, node.value, depth)
        except _Unresolved:
            if self._open:
                raise
            self._mistakes.settle(node.mark)
            return node

    def _fill(self, node: ScalarNode, text: str, depth: int) -> Node:
        whole = _PLACEHOLDER.fullmatch(text)
        if whole:
            value = self._value(whole[1], node.mark, depth)
            return replace(value, mark=node.mark) if isinstance(value, ScalarNode) else value
        shown, masked, position = "", "", 0
        for match in _PLACEHOLDER.finditer(text):
            value = self._value(match[1], node.mark, depth)
            if not isinstance(value, ScalarNode):
                self._refuse(node.mark, f"{match[0]} is a list or a mapping and cannot stand inside text")
            literal = text[position : match.start()]
            shown, position = shown + literal + value.text, match.end()
            masked += literal + (value.text if value.masked is None else value.masked)
            self._characters += len(literal) + len(value.text)
        shown, masked = shown + text[position:], masked + text[position:]
        return ScalarNode(node.mark, shown, shown, masked if masked != shown else node.masked)

    def _value(self, name: str, mark: Mark, depth: int) -> Node:
        if name.startswith("env:"):
            return self._from_environment(name.removeprefix("env:"), mark)
        if _PER_REQUEST.fullmatch(name):
            return scalar(mark, f"${{{name}}}")
        if name.startswith(_CSV):
            return scalar(mark, f"${{{self._column(name, mark)}}}")
        self._used.add(name)
        if name in self._open:
            self._refuse(mark, f"the var {name!r} is made of itself: {' -> '.join([*self._open, name])}")
        if name not in self._variables:
            self._unknown(name, mark)
        self._open.append(name)
        try:
            return self.resolve(self._variables[name], depth + 1)
        finally:
            self._open.pop()

    def _column(self, text: str, mark: Mark) -> str:
        column = self._csv_files.checked(text, mark)
        if column is None:
            self._mistakes.settle(mark)
            raise _Unresolved
        return str(column)

    def _from_environment(self, name: str, mark: Mark) -> ScalarNode:
        if name not in self._environment:
            close = nearest(name, self._environment)
            hint = f"did you mean {close!r}?" if close else f"set it: {name}=… battle run …"
            self._refuse(mark, f"the environment has no {name!r}", hint)
        text = self._environment[name]
        self._mistakes.secrets.add(text)
        return ScalarNode(mark, text, text, MASK)

    def _unknown(self, name: str, mark: Mark) -> NoReturn:
        if not re.fullmatch(PATTERN, name):
            self._refuse(
                mark,
                f"${{{name}}} is not a placeholder",
                "write ${<var>} or ${env:NAME}; per request ${key}, ${key:hex}, ${address}, "
                "${int:1..9}, ${choice:a,b} or ${csv:FILE:COLUMN}",
            )
        hint = suggestion(name, [*self._declared, *_RESERVED], what="vars and placeholders")
        self._refuse(mark, f"${{{name}}} is not among the vars", hint)

    def _refuse(self, mark: Mark, message: str, hint: str | None = None) -> NoReturn:
        self._mistakes.add(mark, message, hint)
        self._mistakes.settle(mark)
        raise _Unresolved
