"""The names that a scenario gives, read from the tree, so that a broken part still counts as there."""

from dataclasses import dataclass

from battle.loading.nodes import ListNode, MapNode, Node, ScalarNode, at


@dataclass(frozen=True, slots=True)
class Names:
    """What other parts may refer to."""

    providers: list[str]
    streams: list[str]
    phases: list[str]
    faults: list[str]
    methods: list[str]
    has_proxy: bool


def names_in(tree: Node) -> Names:
    """All names of a scenario's tree, in the order of the file."""
    phases: list[str] = []
    methods: list[str] = []
    for stream in _keys(tree, "workload"):
        load, requests = at(tree, ("workload", stream, "load")), at(tree, ("workload", stream, "requests"))
        steps = load.items if isinstance(load, ListNode) else (load,) if load else ()
        phases += [_text(step, "name") or f"{_text(step, 'kind')}-{index + 1}" for index, step in enumerate(steps)]
        calls = [call for request in _items(requests) for call in (_items(at(request, ("batch",))) or [request])]
        methods += map(_label, calls)
    has_proxy = at(tree, ("setup", "proxy")) is not None
    return Names(
        _keys(tree, "setup", "providers"), _keys(tree, "workload"), phases, _keys(tree, "chaos"), methods, has_proxy
    )


def _keys(tree: Node, *path: str) -> list[str]:
    node = at(tree, path)
    return list(node.entries) if isinstance(node, MapNode) else []


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, ListNode) else ()


def _label(request: Node) -> str:
    return _text(request, "method") or f"{_text(request, 'verb')} {_text(request, 'path') or '/'}"


def _text(node: Node, key: str) -> str | None:
    found = at(node, (key,))
    return found.text if isinstance(found, ScalarNode) else None
