"""Reading the answer to a JSON-RPC batch: which of its objects answers which call."""

from typing import Any, Final

import orjson

_NOBODY: Final[dict[str, Any]] = {}
"""Stands for an answer without an id, which answers no call."""


def answers(body: bytes, keys: list[int]) -> list[Any]:
    """What each call of a batch was answered, in the order of their keys; the server's order is its own.

    - An answer is told by its id. Where none has a call's id, or several do, it is an object with no id.
    - What has an id that is no call's takes part in nothing.
    - An error object in place of the array was given to every call (JSON-RPC 2.0, section 6).
    - Anything else, an empty array too, is None for every call: it is no answer to a batch.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return [None] * len(keys)
    if type(document) is dict and document.get("error") is not None:
        return [{**document, "id": key} for key in keys]
    if type(document) is not list or not document:
        return [None] * len(keys)
    by_id: dict[Any, Any] = {}
    for answer in document:
        identity = answer.get("id") if type(answer) is dict else None
        if type(identity) in {int, float}:
            by_id[identity] = _NOBODY if identity in by_id else answer
    return [by_id.get(key, _NOBODY) for key in keys]
