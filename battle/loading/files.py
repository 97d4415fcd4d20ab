"""The files that a scenario names: their paths made absolute, and looked at before anything starts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from battle.core.scenario import Scenario
from battle.errors import SetupError
from battle.loading.mistakes import Mistakes
from battle.loading.nodes import MapNode, Node, Path_, ScalarNode, at, key_place, put
from battle.system.trust import client_context

_OF_TLS = ("ca", "cert", "key")


def with_absolute_paths(tree: MapNode, mistakes: Mistakes, *, must_exist: bool) -> MapNode:
    """Paths are relative to the file that they stand in; from here on they are absolute."""
    result: Node = tree
    for path in _paths(tree):
        named = at(tree, path)
        if not isinstance(named, ScalarNode) or not isinstance(named.value, str) or "\0" in named.value:
            continue
        base = named.mark.file.parent if named.mark.file else Path()
        absolute = (base / named.value).absolute()
        if must_exist and not absolute.is_file():
            mistakes.add(named.mark, f"there is no file {named.value!r}", "paths are relative to the scenario")
        result = put(result, path, replace(named, value=str(absolute), text=str(absolute)))
    return result if isinstance(result, MapNode) else tree


def _paths(tree: MapNode) -> Iterator[Path_]:
    yield ("setup", "proxy", "template")
    workload = at(tree, ("workload",))
    for stream in workload.entries if isinstance(workload, MapNode) else ():
        yield from (("workload", stream, "tls", key) for key in _OF_TLS)


def check_certificates(scenario: Scenario, tree: Node, mistakes: Mistakes) -> None:
    """Note certificates and keys that cannot be used."""
    for name, stream in scenario.workload.items():
        if stream.tls is not None:
            try:
                client_context(stream.tls)
            except SetupError as error:
                mistakes.add(key_place(tree, ("workload", name, "tls")), error.message, error.hint)
