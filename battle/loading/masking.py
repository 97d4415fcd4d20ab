"""The resolved scenario as YAML that may be stored: what came from the environment is masked, and what is a credential.

The stored text must load again. A mask in the place of a number, a quantity or a name would not, so there the value is
written out when it is no more than that: no secret is accepted where the language wants `30s` or a provider's name.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import yaml

from battle.core.scenario import MASK
from battle.loading.mistakes import SHORTEST_SECRET
from battle.loading.nodes import MapNode, Mark, Node, Path_, put, scalars, typed

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})
_SHORTEST_PATH = 3
_HARMLESS = re.compile(r"[A-Za-z0-9_.%/-]{1,32}")
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def with_secrets_marked(tree: MapNode, secrets: set[str]) -> MapNode:
    """The tree with every credential marked as a secret, wherever it was written, and `secrets` with their texts.

    Those are passwords and tokens of `auth`, headers that carry such, and the vars that they are made of.
    """
    marked: Node = tree
    found = [(path, node) for path, node in scalars(tree) if _is_credential(path) and node.value is not None]
    texts = {node.text for _, node in found if node.text}
    made_of = [
        (path, node)
        for path, node in scalars(tree)
        if path[0] == "vars" and len(node.text) >= SHORTEST_SECRET and any(node.text in text for text in texts)
    ]
    for path, node in (*found, *made_of):
        marked = put(marked, path, replace(node, masked=MASK))
    secrets |= texts
    return marked if isinstance(marked, MapNode) else tree


def _is_credential(path: Path_) -> bool:
    """Whether a path leads to a credential: `workload.<stream>.auth…`, or a header of a stream or a request."""
    if path[0] != "workload" or len(path) < _SHORTEST_PATH:
        return False
    if path[2] == "auth":
        return path[-1] != "user"
    return path[-2] == "headers" and str(path[-1]).lower() in _CREDENTIAL_HEADERS


def masked_tree(tree: Node, problem_marks: Callable[[Node], set[Mark]]) -> Node:
    """The tree with masks; `problem_marks` says where a tree cannot be loaded."""
    secret = [(path, node) for path, node in scalars(tree) if node.masked is not None]
    masked = tree
    for path, node in secret:
        masked = put(masked, path, replace(node, value=node.masked, text=str(node.masked), masked=None))
    refused = problem_marks(masked) if secret else set()
    for path, node in secret:
        if node.mark in refused and _HARMLESS.fullmatch(node.text):
            masked = put(masked, path, node)
    return masked


class _Quoting(_Dumper):  # type: ignore[misc]  # one of two classes, by what is installed
    """Writes text in quotes wherever our own resolver would read it as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written out."""
        del data
        return True


def _text(dumper: Any, text: str) -> yaml.ScalarNode:
    ours = not text or not isinstance(typed(text), str)
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if ours else None)
    return node


_Quoting.add_representer(str, _text)


def to_yaml(data: dict[str, Any]) -> str:
    """YAML text that loads to the same data."""
    text: str = yaml.dump(data, Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=120)
    return text
