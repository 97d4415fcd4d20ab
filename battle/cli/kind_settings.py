"""The settings of a kind in words, read from its JSON Schema: name, what it takes, and its default."""

import json
from typing import Any, NamedTuple

from battle.core.component import Component, kinds
from battle.core.units import format_duration, format_rate, format_share, format_size

_QUANTITIES = {
    "a duration": format_duration,
    "a rate": format_rate,
    "a share": format_share,
    "a size": format_size,
}
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
    "null": "null",
}


class Setting(NamedTuple):
    """One key of a kind. `default` is None when the key is required."""

    name: str
    takes: str
    default: str | None


def own_settings(kind: type[Component]) -> list[Setting]:
    """What this kind takes beyond the settings of its room."""
    shared = _names_of_room(kind)
    return [setting for setting in _settings(kind) if setting.name not in shared]


def shared_settings(room: str) -> list[Setting]:
    """What every kind of the room takes; empty when the room is."""
    kind = next(iter(kinds(room).values()), None)
    return [] if kind is None else [one for one in _settings(kind) if one.name in _names_of_room(kind)]


def _names_of_room(kind: type[Component]) -> set[str]:
    room = next(base for base in kind.__mro__ if base.__dict__.get("room") and issubclass(base, Component))
    return {field.alias or name for name, field in room.model_fields.items()} - {"kind"}


def _settings(kind: type[Component]) -> list[Setting]:
    schema = kind.model_json_schema(by_alias=True)
    required = set(schema.get("required", ()))
    definitions = schema.get("$defs", {})
    return [
        Setting(name, takes(each, definitions), None if name in required else _default(each))
        for name, each in schema["properties"].items()
        if name != "kind"
    ]


def takes(schema: dict[str, Any], definitions: dict[str, Any]) -> str:  # noqa: PLR0911  (one a form)
    """What a value may be, in words: "duration", "text or null", "list of text", "{failures: whole number}"."""
    if schema.get("description") in _QUANTITIES:
        return str(schema["description"]).removeprefix("a ")
    if "$ref" in schema:
        return takes(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(takes(each, definitions) for each in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return " or ".join(str(choice) for choice in schema.get("enum", [schema.get("const")]))
    if "properties" in schema:
        inside = (f"{name}: {takes(each, definitions)}" for name, each in schema["properties"].items())
        return "{" + ", ".join(inside) + "}"
    if isinstance(schema.get("items"), dict):
        return f"list of {takes(schema['items'], definitions)}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"{{name: {takes(schema['additionalProperties'], definitions)}}}"
    types = schema.get("type", "anything")
    return " or ".join(_WORDS.get(each, each) for each in ([types] if isinstance(types, str) else types))


def _default(schema: dict[str, Any]) -> str:
    if "default" not in schema:
        return "empty"
    value, form = schema["default"], _QUANTITIES.get(schema.get("description", ""))
    if form is not None and isinstance(value, int | float):
        return form(value)
    return value if isinstance(value, str) else json.dumps(value)
