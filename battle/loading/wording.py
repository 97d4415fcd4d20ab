"""pydantic's errors in the words of somebody who writes a scenario."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from battle.core.component import rooms
from battle.loading.mistakes import suggestion

_LONGEST_SHOWN = 60
_FORMS = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping (`key: value`)",
    "union": "a mapping (`key: value`)",
    "model": "a mapping (`key: value`)",
    "path": "the name of a file",
}
_BOUNDS = {"greater_than": ("gt", "more than"), "greater_than_equal": ("ge", "at least")} | {
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A mistake in words, and what to do about it."""

    message: str
    hint: str | None = None


def say(error: Mapping[str, Any], key: str, siblings: list[str]) -> Said:
    """One pydantic error in words. `key` is the last key of its path, `siblings` the keys that are known beside it."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return Said(f"unknown key {key!r}", suggestion(key, siblings))
        case "missing":
            return Said(f"{error['loc'][-1]!r} is missing")
        case "union_tag_invalid":
            tags = re.findall(r"'([^']*)'", context["expected_tags"])
            return Said(f"unknown kind {context['tag']!r}", unknown_kind_hint(context["tag"], tags))
        case "union_tag_not_found" if isinstance(value, dict):
            return Said("'kind' is missing", f"known: {', '.join(siblings)}" if siblings else None)
        case "too_short" | "string_too_short":
            return Said(f"{key!r} is empty")
    return _say_of_value(kind, value, context, error["msg"])


def _say_of_value(kind: str, value: Any, context: Mapping[str, Any], otherwise: str) -> Said:
    if kind == "value_error":
        return Said(_cut(str(context["error"])))
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
        words = choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
        return Said(f"{_show(value)} is not {words}", _near(value, choices))
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return Said(f"{_show(value)} is out of range: it must be {words} {context[name]}")
    form = _FORMS.get(re.split(r"_(?:attributes_)?(?:type|parsing|from|tag)", kind)[0])
    if form:
        return Said(f"{_show(value)} is not {form}", _form_hint(form, value))
    return Said(_cut(otherwise.removeprefix("Input ")))


def alternatives(says: list[Said]) -> Said:
    """What several forms of one value say, in one sentence."""
    messages = list(dict.fromkeys(said.message for said in says))
    hint = says[0].hint if len(messages) == 1 else None
    shared = re.match(r"(.*? is not )", messages[0])
    if shared and all(message.startswith(shared[1]) for message in messages):
        return Said(shared[1] + ", or ".join(message.removeprefix(shared[1]) for message in messages), hint)
    return Said("; or ".join(messages), hint)


def unknown_kind_hint(tag: str, tags: list[str]) -> str | None:
    """The nearest kind and all that are known; and where a kind belongs that stands in the wrong part."""
    if tag not in tags:
        for room, members in rooms().items():
            if tag in members and room != "reporters":
                return f"{tag!r} belongs to {room}; known here: {', '.join(tags)}"
    close = suggestion(tag, tags)
    return f"{close} known: {', '.join(tags)}" if close and close.startswith("did") else close


def _form_hint(form: str, value: Any) -> str | None:
    if value is None:
        return "there is nothing after the colon; leave the key out, or write {} or []" if form != "text" else None
    if form == "text" and isinstance(value, bool | int | float):
        return "quote it"
    if form == "true or false" and isinstance(value, str) and value.lower() in {"yes", "on", "y"}:
        return "write true"
    if form == "true or false" and isinstance(value, str) and value.lower() in {"no", "off", "n"}:
        return "write false"
    if form.endswith("number") and isinstance(value, str) and re.fullmatch(r"[0-9.]+", value):
        return "write it without quotes and without leading zeros"
    return None


def _near(value: Any, choices: list[str]) -> str | None:
    hint = suggestion(value, choices) if isinstance(value, str) else None
    return hint if hint and hint.startswith("did") else None


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return _cut(str(value).lower() if isinstance(value, bool) else repr(value))


def _cut(text: str) -> str:
    """Long texts come from long values: their middle is left out."""
    longest = 6 * _LONGEST_SHOWN
    return text if len(text) <= longest else f"{text[: longest // 2]} … {text[-longest // 2 :]}"
