"""pydantic's error locations -> paths in the file, and the models that rule there.

A location holds more than the path: the tags of tagged unions, the labels of plain unions, and an index where a single
value was taken for a list. These name no part of the file and are skipped.
"""

from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from battle.core.component import Component, kinds
from battle.loading.nodes import MapNode, Node, Path_, ScalarNode, child

Loc = Sequence[str | int]


def path_of(tree: Node, loc: Loc) -> tuple[Path_, tuple[str, ...]]:
    """The path that a location means in the file, and the labels that were skipped after its last part."""
    here: Node | None = tree
    path: Path_ = ()
    labels: tuple[str, ...] = ()
    tagged = False
    for part in loc:
        below = child(here, part) if here is not None else None
        if not tagged and _is_tag(here, part):
            tagged = True
        elif below is not None:
            here, path, labels, tagged = below, (*path, part), (), False
        else:
            labels = (*labels, str(part))
    return path, labels


def _is_tag(node: Node | None, part: str | int) -> bool:
    kind = node.entries.get("kind") if isinstance(node, MapNode) else None
    return kind is not None and isinstance(kind.value, ScalarNode) and kind.value.value == part


def models_at(root: type[BaseModel], loc: Loc) -> list[type[BaseModel]]:
    """The models that may stand at a location."""
    types: list[Any] = [root]
    for part in loc:
        inside = [found for each in types for found in _step(each, part)]
        types = inside or types
    return [found for each in types for found in _models(each)]


def known_keys(models: Iterable[type[BaseModel]]) -> list[str]:
    """What the keys of these models are called in YAML."""
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def _step(annotation: Any, part: str | int) -> list[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        tagged = any(isinstance(each, Tag) and each.tag == part for each in arguments[1:])
        return [arguments[0]] if tagged else _step(arguments[0], part)
    if origin in {Union, UnionType}:
        labelled = [each for each in arguments if getattr(each, "__name__", None) == part]
        return labelled or [found for each in arguments for found in _step(each, part)]
    if origin is (list if isinstance(part, int) else dict):
        return [arguments[-1]]
    if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
        return []
    if _is_room(annotation):
        member = kinds(annotation.__dict__["room"]).get(str(part))
        return [member] if member else []
    fields = annotation.model_fields.items()
    return [field.annotation for name, field in fields if part in {field.alias, name}]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if get_origin(annotation) in {Union, UnionType, Annotated}:
        return [found for each in get_args(annotation) for found in _models(each)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []


def _is_room(model: type[BaseModel]) -> bool:
    return issubclass(model, Component) and bool(model.__dict__.get("room"))
