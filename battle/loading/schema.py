"""The JSON Schema of scenarios, for editors: made from the models, plus what loading allows around them."""

import json
from pathlib import Path
from typing import Any

from battle.core.component import kinds
from battle.core.objective import LEGACY_KEYS
from battle.core.scenario import Scenario
from battle.core.units import format_duration, format_rate, format_size

_ID = "urn:battle:scenario:1"
_PLACEHOLDER = {"$ref": "#/$defs/placeholder"}
_PRINTED = {"a duration": format_duration, "a rate": format_rate, "a size": format_size}
_NOISE = ("title", "discriminator", "gt")
_SECTIONS = ("tags", "vars", "setup", "chaos", "slo")


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario with every kind that is known now."""
    made = Scenario.model_json_schema(by_alias=True)
    definitions = {name: _open(_cleaned(each)) for name, each in sorted(made.pop("$defs").items())}
    for each in definitions.values():
        if "const" in each.get("properties", {}).get("kind", {}):
            each.setdefault("required", []).insert(0, "kind")
    root = _open(_cleaned(made))
    _add_short_forms(root["properties"], definitions)
    root["properties"]["extends"] = {"type": "string", "description": "a scenario to put underneath this one"}
    required = root.pop("required")
    definitions["placeholder"] = {
        "type": "string",
        "pattern": r"^.*\$\{[^{}]+\}.*$",
        "description": "a value from `vars`, from `--set`, or from the environment (`${env:NAME}`)",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _ID,
        "title": "battle scenario",
        **root,
        "anyOf": [{"required": required}, {"required": ["extends"]}],
        "$defs": definitions,
    }


def write_schema(path: Path) -> None:
    """Write the schema as it is committed."""
    path.write_text(json.dumps(scenario_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _add_short_forms(properties: dict[str, Any], definitions: dict[str, Any]) -> None:
    """What validators accept in place of the full form, which the models do not show."""
    setup, stream = definitions["Setup"]["properties"], definitions["Stream"]["properties"]
    setup["proxy"] = {"anyOf": [{"enum": sorted(kinds("proxies"))}, setup["proxy"]]}
    definitions["Stream"]["required"].remove("requests")  # a recording may bring them
    stream["load"] = {"anyOf": [stream["load"], stream["load"]["anyOf"][0]["items"]]}
    objectives = properties["slo"]["anyOf"][0]
    objectives["items"] = {"anyOf": [{"type": "string"}, objectives["items"]]}
    legacy = {"type": "object", "additionalProperties": False, "properties": {key: {} for key in LEGACY_KEYS}}
    properties["slo"] = {"anyOf": [properties["slo"], legacy]}
    for name in _SECTIONS:
        properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    for named in (setup["providers"], properties["workload"], properties["chaos"]["anyOf"][0]):
        named["anyOf"][0]["patternProperties"] = {"^x-": {}}


def _cleaned(schema: Any) -> Any:
    """Without noise, and with defaults as one would write them."""
    if isinstance(schema, list):
        return [_cleaned(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    clean = {
        key: value if key in {"default", "examples", "const", "enum", "required"} else _cleaned(value)
        for key, value in schema.items()
        if key not in _NOISE or isinstance(value, dict)
    }
    described = schema.get("description")
    if isinstance(described, str) and described in _PRINTED and isinstance(schema.get("default"), int | float):
        clean["default"] = _PRINTED[described](schema["default"])
    if isinstance(schema.get("discriminator"), dict) and "propertyName" in schema["discriminator"]:
        del clean["discriminator"]
    return clean


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """One object's schema, open to `x-` keys, and to a placeholder in place of every value."""
    if "properties" not in schema:
        return schema
    opened = {key: _fillable(key, value) for key, value in schema["properties"].items()}
    return {**schema, "properties": opened, "patternProperties": {"^x-": {}}}


def _fillable(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    inside = dict(schema)
    for below in ("items", "additionalProperties"):
        if isinstance(inside.get(below), dict):
            inside[below] = _fillable(below, inside[below])
    if "anyOf" in inside:
        inside["anyOf"] = [
            _fillable("", each) if each.get("type") in {"array", "object"} else each for each in inside["anyOf"]
        ]
    if key == "kind" or _takes_text(inside):
        return inside
    default = {"default": inside.pop("default")} if "default" in inside else {}
    return {"anyOf": [inside, _PLACEHOLDER], **default}


def _takes_text(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(_takes_text(each) for each in schema["anyOf"])
    if any(key in schema for key in ("enum", "const", "pattern", "$ref", "oneOf")):
        return False
    types = schema.get("type", "string")
    return "string" in types if isinstance(types, list) else types == "string"
