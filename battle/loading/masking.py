"""The resolved scenario as YAML that may be stored: what came from the environment is masked.

The stored text must load again. A mask in the place of a number, a quantity or a name would not, so there the value is
written out when it is no more than that: no secret is accepted where the language wants `30s` or a provider's name.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import yaml

from battle.loading.nodes import Mark, Node, put, scalars, typed

_HARMLESS = re.compile(r"[A-Za-z0-9_.%/-]{1,32}")
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


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
