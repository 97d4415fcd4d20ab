"""`extends: FILE`: another scenario underneath this one."""

from pathlib import Path

from battle.loading.mistakes import Mistakes
from battle.loading.nodes import Entry, MapNode, Node, ScalarNode
from battle.loading.reading import read_text
from battle.loading.yaml_nodes import parse_yaml

MAX_FILES = 8


def with_bases(tree: MapNode, path: Path | None, mistakes: Mistakes) -> MapNode:
    """The scenario on top of what it extends, whose paths are relative to the file that names them."""
    return _extend(tree, path, mistakes, [path.resolve()] if path else [])


def _extend(tree: MapNode, path: Path | None, mistakes: Mistakes, chain: list[Path]) -> MapNode:
    entry = tree.entries.get("extends")
    if entry is None:
        return tree
    own = MapNode(tree.mark, {key: value for key, value in tree.entries.items() if key != "extends"})
    named = entry.value
    if not isinstance(named, ScalarNode) or not isinstance(named.value, str):
        mistakes.add(entry.mark, "`extends` takes the name of one file")
        return own
    base_path = (path.parent if path else Path()) / named.value
    if "\0" in named.value:
        mistakes.add(named.mark, "`extends` takes the name of one file")
        return own
    if base_path.resolve() in chain:
        mistakes.add(named.mark, f"{named.value} extends itself, by way of {len(chain)} file(s)")
        return own
    if len(chain) > MAX_FILES:
        mistakes.add(named.mark, f"more than {MAX_FILES} files extend each other")
        return own
    base = parse_yaml(read_text(base_path, mistakes, named.mark), base_path, mistakes)
    return _over(_extend(base, base_path, mistakes, [*chain, base_path.resolve()]), own, "")


def _over(base: MapNode, own: MapNode, name: str) -> MapNode:
    """Mappings are merged key by key; anything else replaces what was underneath, and so does another `kind`.

    The proxy is the exception: what all proxies have in common outlives a change of its kind.
    """
    if name != "proxy" and _kind(base) and _kind(own) and _kind(base) != _kind(own):
        return own
    entries = dict(base.entries)
    for key, entry in own.entries.items():
        under: Node | None = entries[key].value if key in entries else None
        if isinstance(under, MapNode) and isinstance(entry.value, MapNode):
            entries[key] = Entry(entry.mark, _over(under, entry.value, key))
        else:
            entries[key] = entry
    return MapNode(own.mark, entries)


def _kind(node: MapNode) -> str | None:
    entry = node.entries.get("kind")
    return entry.value.text if entry and isinstance(entry.value, ScalarNode) else None
