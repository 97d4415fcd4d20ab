"""Quantities as scenarios write them: durations, rates, shares and sizes.

Each kind of quantity has a parser (text -> number), a printer (number -> text, and parsing it gives the same number
again) and a pydantic type. Inside the program a duration is an int in nanoseconds, a rate a float per second, a share a
float in [0, 1], a size an int in bytes.
"""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": NS_PER_MS,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
    "d": 86400 * NS_PER_S,
}
_BYTES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_PER_S = {"s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
LARGEST = 2**53
"""Of nanoseconds (104 days) and bytes: what JSON readers hold exactly, and arithmetic in floats too."""
_FASTEST_PER_S = 1_000_000_000
_NUMBER = r"\d+(?:\.\d+)?"
_DURATION_PART = re.compile(rf"({_NUMBER})(ns|us|µs|ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ns|us|µs|ms|s|m|h|d))+")
_RATE = re.compile(rf"({_NUMBER})\s*/\s*(s|m|h)")
_SIZE = re.compile(rf"({_NUMBER})\s*(B|KB|MB|GB|KiB|MiB|GiB)")
_PERCENT = re.compile(rf"({_NUMBER})\s*%")


def _refuse(value: Any, what: str, example: str, intent: str | None = None) -> ValueError:
    meant = f"; did you mean {intent}?" if intent else ""
    return ValueError(f"{value!r} is not a {what} (write it like {example}){meant}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def parse_duration_ns(value: Any) -> int:
    """Nanoseconds of "20ms", "1.5s" or "1m30s". Raises ValueError; a bare number is refused except 0."""
    if _is_number(value):
        if value == 0:
            return 0
        raise ValueError(f"{value} has no unit; did you mean {value}ms or {value}s?")
    if not isinstance(value, str) or not _DURATION.fullmatch(value.strip()):
        raise _refuse(value, "duration", "20ms, 1.5s, 1m30s")
    parts = _DURATION_PART.findall(value.strip())
    ns = sum(Decimal(number) * _NS[unit.replace("µ", "u")] for number, unit in parts)
    if ns > LARGEST:
        raise ValueError(f"{value!r} is longer than any run")
    return int(ns)


def format_duration(ns: float) -> str:
    """The shortest exact text of a duration in ns, for example 1500000000 -> "1.5s"."""
    whole = round(ns)
    for unit in ("h", "m", "s", "ms", "us"):
        if whole >= _NS[unit] and (unit in {"s", "ms", "us"} or whole % _NS[unit] == 0):
            return f"{_plain(Decimal(whole) / _NS[unit])}{unit}"
    return "0s" if whole == 0 else f"{whole}ns"


def parse_rate_per_s(value: Any) -> float:
    """Events per second of "200/s", "30/m" or "5/h". Raises ValueError."""
    if _is_number(value):
        raise ValueError(f"{value} has no unit; did you mean {value}/s?")
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise _refuse(value, "rate", "200/s, 30/m")
    per_s = Decimal(match[1]) / _PER_S[match[2]]
    if per_s > _FASTEST_PER_S:
        raise ValueError(f"{value!r} is more than a billion per second")
    return float(per_s)


def format_rate(per_s: float) -> str:
    """The text of a rate, for example 200.0 -> "200/s"."""
    return f"{_plain(Decimal(repr(float(per_s))))}/s"


def parse_share(value: Any) -> float:
    """A share in [0, 1] of "5%", 0.05 or "0.05". Raises ValueError."""
    number: float | None = None
    if _is_number(value):
        number = float(value)
    elif isinstance(value, str):
        if match := _PERCENT.fullmatch(value.strip()):
            number = float(Decimal(match[1]) / 100)
        elif re.fullmatch(_NUMBER, value.strip()):
            number = float(value)
    if number is None:
        raise _refuse(value, "share", "5% or 0.05")
    if not 0 <= number <= 1:
        intent = f"{_plain(Decimal(repr(number)))}%" if 1 < number <= 100 else None  # noqa: PLR2004
        raise _refuse(value, "share between 0 and 1", "5% or 0.05", intent)
    return number


def format_share(share: float) -> str:
    """The text of a share, for example 0.05 -> "5%"."""
    return f"{_plain(Decimal(repr(float(share))) * 100)}%"


def parse_size_bytes(value: Any) -> int:
    """Bytes of "64KB" or "10MiB". Raises ValueError; a bare number is refused except 0."""
    if _is_number(value):
        if value == 0:
            return 0
        raise ValueError(f"{value} has no unit; did you mean {value}KB?")
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise _refuse(value, "size", "64KB, 10MB, 1GiB")
    size = Decimal(match[1]) * _BYTES[match[2]]
    if size > LARGEST:
        raise ValueError(f"{value!r} is larger than any machine")
    return int(size)


def format_size(size_bytes: float) -> str:
    """The text of a size in bytes, in decimal units, for example 64000 -> "64KB"."""
    whole = round(size_bytes)
    for unit in ("GB", "MB", "KB"):
        if whole >= _BYTES[unit]:
            return f"{_plain(Decimal(whole) / _BYTES[unit])}{unit}"
    return f"{whole}B"


def format_number(number: float) -> str:
    """The text of a count or a ratio, with all its digits, for example 1e6 -> "1000000"."""
    return _plain(Decimal(repr(float(number))))


def _plain(number: Decimal) -> str:
    text = format(number.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


Duration = Annotated[
    int,
    BeforeValidator(parse_duration_ns),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "description": "a duration", "examples": ["20ms", "1.5s", "1m30s"]}),
]
Rate = Annotated[
    float,
    BeforeValidator(parse_rate_per_s),
    PlainSerializer(format_rate, return_type=str),
    WithJsonSchema({"type": "string", "description": "a rate", "examples": ["200/s", "30/m"]}),
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(format_share, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "description": "a share", "examples": ["5%", 0.05]}),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size_bytes),
    PlainSerializer(format_size, return_type=str),
    WithJsonSchema({"type": "string", "description": "a size", "examples": ["64KB", "10MB"]}),
]
