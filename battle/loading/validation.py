"""The resolved tree -> the Scenario, or every mistake of form at its place.

When there are mistakes, what is broken is left out and the rest is validated again, so that the checks between the
parts can run on what is sound: an unknown key in `chaos` must not hide an unknown indicator in `slo`.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field, ValidationError

from battle.core.component import Component, kinds
from battle.core.names import Name
from battle.core.scenario import Scenario, Stream
from battle.loading.locating import known_keys, models_at, path_of
from battle.loading.mistakes import Mistakes
from battle.loading.nodes import MapNode, Node, Path_, ScalarNode, at, key_place, place, plain, put, typed
from battle.loading.wording import Said, alternatives, say

_ROUNDS = 40
_OPTIONS_FROM = 3
_FREE_KEYS_UNDER: tuple[Path_, ...] = ((), ("setup", "providers"), ("workload",), ("chaos",))
_PLAIN_LABELS = ("str", "int", "float", "bool", "constrained-")


@dataclass(frozen=True, slots=True)
class Validated:
    """What could be validated: the tree that `scenario` was made from, and the sections that lack a part."""

    tree: Node
    scenario: Scenario | None
    left_out: frozenset[str | int]


@dataclass(frozen=True, slots=True)
class _Mistake:
    error: dict[str, Any]
    path: Path_
    labels: tuple[str, ...]


def validate(tree: Node, mistakes: Mistakes) -> Validated:
    """The scenario of a tree; mistakes of form are noted, and left out of the scenario that is given."""
    left_out: set[str | int] = set()
    model = Scenario
    for _ in range(_ROUNDS):
        try:
            # Strict: text stays text ("yes" is no bool, "010" no number). JSON: a path and an enum may be text.
            scenario = model.model_validate_json(json.dumps(plain(tree)), strict=True, by_name=False)
            return Validated(tree, scenario, frozenset(left_out))
        except ValidationError as error:
            found = [_mistake(tree, each) for each in error.errors(include_url=False)]
        mended = _mend(tree, found)
        if mended is not tree:
            tree = mended
            continue
        last = model
        if last is Scenario:
            _note(tree, found, mistakes)
            model = _partial()
        left_out |= {part for mistake in found for part in mistake.path[:1]}
        smaller = _without(tree, found)
        if smaller is tree and last is not Scenario:
            break
        tree = smaller
    return Validated(tree, None, frozenset(left_out))


def _partial() -> type[Scenario]:
    """A scenario that may lack what every scenario must have. Made when needed, with the kinds that are known then."""

    class Partial(Scenario):
        name: str = ""
        workload: dict[Name, Stream] = Field(default_factory=dict)

    return Partial


def without_free_keys(tree: MapNode) -> Node:
    """The tree without the `x-` keys of its top level, and of the mappings whose keys are names."""
    result: Node = tree
    for path in _FREE_KEYS_UNDER:
        node = at(result, path)
        if isinstance(node, MapNode):
            kept = {key: entry for key, entry in node.entries.items() if not key.startswith("x-")}
            result = put(result, path, replace(node, entries=kept))
    return result


def _mistake(tree: Node, error: Any) -> _Mistake:
    """An error of pydantic with its path. A proxy checks its own options, and their errors come without `options`."""
    loc = tuple(error["loc"])
    proxy, kind = at(tree, ("setup", "proxy")), "".join(str(part) for part in loc[2:3])
    if loc[:2] == ("setup", "proxy") and len(loc) > _OPTIONS_FROM and isinstance(proxy, MapNode):
        member = kinds("proxies").get(kind)
        if member and loc[_OPTIONS_FROM] not in (*known_keys([member]), *proxy.entries):
            loc = (*loc[:_OPTIONS_FROM], "options", kind, *loc[_OPTIONS_FROM:])
    return _Mistake({**error, "loc": loc}, *path_of(tree, loc))


def _mend(tree: Node, found: list[_Mistake]) -> Node:
    """Without `x-` keys where keys are checked, and with values from the environment typed where one is needed."""
    for mistake in found:
        key, node = str(mistake.path[-1]) if mistake.path else "", at(tree, mistake.path)
        if mistake.error["type"] == "extra_forbidden" and key.startswith("x-"):
            tree = put(tree, mistake.path, None)
        elif (
            mistake.error["type"] in {"int_type", "float_type", "bool_type"}
            and isinstance(node, ScalarNode)
            and node.masked is not None
            and not isinstance(typed(node.text), str)
            and isinstance(node.value, str)
        ):
            tree = put(tree, mistake.path, replace(node, value=typed(node.text)))
    return tree


def _without(tree: Node, found: list[_Mistake]) -> Node:
    """The tree without what is broken. Longer paths go first, later list items before earlier ones."""
    paths = {mistake.path for mistake in found if mistake.path}
    for path in sorted(paths, key=lambda path: tuple((isinstance(p, int), p) for p in path), reverse=True):
        tree = put(tree, path, None)
    return tree


def _note(tree: Node, found: list[_Mistake], mistakes: Mistakes) -> None:
    together: dict[Path_, list[_Mistake]] = defaultdict(list)
    for mistake in found:
        union = mistake.labels and mistake.error["type"] != "missing" and "[key]" not in mistake.labels
        if union and not all(label.isdigit() for label in mistake.labels):
            together[mistake.path].append(mistake)
    for mistake in found:
        if not any(mistake in group for group in together.values()) and not _other_form(tree, mistake):
            _note_one(tree, mistake, mistakes)
    for path, group in together.items():
        if not any(other.path[: len(path)] == path and len(other.path) > len(path) for other in found):
            fitting = [mistake for mistake in group if not _other_form(tree, mistake)] or group
            said = alternatives([_said(mistake) for mistake in fitting])
            mistakes.add(place(tree, path), said.message, said.hint)


def _other_form(tree: Node, mistake: _Mistake) -> bool:
    """Whether this is the complaint of a form that the value was not meant to have (a union's plain text, say)."""
    is_map = isinstance(at(tree, mistake.path), MapNode)
    return is_map and bool(mistake.labels) and mistake.labels[0].startswith((*_PLAIN_LABELS, "list[", "literal["))


def _note_one(tree: Node, mistake: _Mistake, mistakes: Mistakes) -> None:
    path, kind, said = mistake.path, mistake.error["type"], _said(mistake)
    if kind == "union_tag_invalid":
        mark = place(tree, (*path, "kind"))
    elif kind == "extra_forbidden" or "[key]" in mistake.labels:
        mark = key_place(tree, (*path, mistake.error["input"]) if "[key]" in mistake.labels else path)
    else:
        mark = place(tree, path)
    mistakes.add(mark, said.message, said.hint)


def _said(mistake: _Mistake) -> Said:
    key = str(mistake.path[-1]) if mistake.path else "the scenario"
    loc = mistake.error["loc"]
    if mistake.error["type"] == "union_tag_not_found":
        room = next((model.room for model in models_at(Scenario, loc) if issubclass(model, Component)), "")
        return say(mistake.error, key, list(kinds(room)))
    models = models_at(Scenario, loc[:-1])
    if loc[:2] == ("setup", "proxy") and loc[_OPTIONS_FROM : _OPTIONS_FROM + 1] == ("options",):
        member: Any = kinds("proxies")[loc[2]]
        models = models_at(member.options_type, loc[_OPTIONS_FROM + 2 : -1])
    return say(mistake.error, key, known_keys(models))
