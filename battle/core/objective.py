"""The language of objectives: `<indicator> <op> <value> [window] [where key=value …]`.

    p95 <= 250ms
    success_rate >= 99% during kill-alpha
    p95 <= 1.5x baseline in steady where method=eth_call
    recovery_time <= 2s of kill-alpha

Parsing is pure and knows nothing of indicators; that an indicator exists, and that the value fits its unit, is checked
where indicators are known. str() of a parsed condition parses to the same condition.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from battle.core.names import PATTERN
from battle.core.ports.part import Part
from battle.core.units import (
    Duration,
    format_duration,
    format_number,
    format_rate,
    format_share,
    format_size,
    parse_duration_ns,
    parse_rate_per_s,
    parse_share,
    parse_size_bytes,
)

_INDICATOR = r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*"
_CONDITION = re.compile(
    rf"""\s*(?P<indicator>{_INDICATOR})\s*(?P<op>>=|<=|==|>|<)\s*
    (?P<value>\d[^\s]*(?:\s*x)?)(?P<relative>\s+baseline)?
    (?:\s+(?P<relation>during|after|before|in|of)\s+(?P<subject>{PATTERN}))?
    (?:\s+where\s+(?P<where>[^\s=]+=\S+(?:\s+[^\s=]+=\S+)*))?\s*""",
    re.VERBOSE,
)
WHERE_KEYS = ("stream", "method", "provider")


class Unit(StrEnum):
    """What a value measures. `relative` values are multiples of the baseline."""

    DURATION = "duration"  # ns
    SHARE = "share"  # 0 … 1
    RATE = "rate"  # per second
    SIZE = "size"  # bytes
    NUMBER = "number"  # counts and ratios
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, in the unit's base (ns, share, per second, bytes)."""

    value: float
    unit: Unit

    def __str__(self) -> str:
        match self.unit:
            case Unit.DURATION:
                return format_duration(self.value)
            case Unit.SHARE:
                return format_share(self.value)
            case Unit.RATE:
                return format_rate(self.value)
            case Unit.SIZE:
                return format_size(self.value)
            case Unit.RELATIVE:
                return f"{format_number(self.value)}x baseline"
            case Unit.NUMBER:
                return format_number(self.value)


Relation = Literal["during", "after", "before", "in", "of"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed objective. Without a relation it is about the whole run (or, per fault, about each fault)."""

    indicator: str
    op: Literal[">=", "<=", ">", "<", "=="]
    required: Quantity
    relation: Relation | None = None
    subject: str | None = None
    where: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        words = [self.indicator, self.op, str(self.required)]
        if self.relation:
            words += [self.relation, self.subject or ""]
        if self.where:
            words += ["where", *(f"{key}={value}" for key, value in self.where)]
        return " ".join(words)

    def holds(self, actual: float, required: float) -> bool:
        """Whether `actual <op> required`."""
        match self.op:
            case ">=":
                return actual >= required
            case "<=":
                return actual <= required
            case ">":
                return actual > required
            case "<":
                return actual < required
            case "==":
                return actual == required


def parse_quantity(text: str) -> Quantity:
    """The quantity that a text such as "250ms", "99%", "200/s", "64KB", "1.5x" or "0.99" names. Raises ValueError."""
    text = text.strip()
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*x", text):
        return Quantity(float(match[1]), Unit.RELATIVE)
    if text.endswith("%"):
        return Quantity(parse_share(text), Unit.SHARE)
    if "/" in text:
        return Quantity(parse_rate_per_s(text), Unit.RATE)
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Quantity(float(text), Unit.NUMBER)
    if re.fullmatch(r"[\d.]+\s*[KMG]?i?B", text):
        return Quantity(float(parse_size_bytes(text)), Unit.SIZE)
    return Quantity(float(parse_duration_ns(text)), Unit.DURATION)


def parse_condition(text: str) -> Condition:
    """The condition that an objective's text says. Raises ValueError with what is wrong and the form."""
    match = _CONDITION.fullmatch(text)
    if not match:
        raise ValueError(
            f"{text!r} is not an objective; write <indicator> <op> <value> "
            "[during|after|before|of <fault> | in <phase>] [where stream|method|provider=<name> …], op: >= <= > < =="
        )
    required = parse_quantity(match["value"])
    if (required.unit is Unit.RELATIVE) != bool(match["relative"]):
        raise ValueError(f"{text!r}: a relative value is written like `1.5x baseline`")
    where = tuple(tuple(pair.split("=", 1)) for pair in (match["where"] or "").split())
    for key, _ in where:
        if key not in WHERE_KEYS:
            raise ValueError(f"{key!r} is not a `where` key; they are {', '.join(WHERE_KEYS)}")
    return Condition(
        match["indicator"],
        match["op"],  # type: ignore[arg-type]  # the expression admits only these
        required,
        match["relation"],  # type: ignore[arg-type]  # likewise
        match["subject"],
        where,
    )


class Objective(Part):
    """An indicator's target. `guard` ends the run early when every trailing second for `for` breaks it."""

    objective: str
    guard: bool = False
    for_: Duration = Field(default=5_000_000_000, alias="for")
    min_samples: int | None = Field(default=None, ge=1)
    warn: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"objective": value} if isinstance(value, str) else value

    @field_validator("objective")
    @classmethod
    def _check(cls, text: str) -> str:
        parse_condition(text)
        return text.strip()

    @property
    def condition(self) -> Condition:
        """The parsed text."""
        return parse_condition(self.objective)


LEGACY_KEYS = {
    "success_rate": "success_rate >= {}",
    "p50_latency_ms": "p50 <= {}ms",
    "p95_latency_ms": "p95 <= {}ms",
    "p99_latency_ms": "p99 <= {}ms",
    "max_failover_latency_ms": "failover_time.max <= {}ms",
    "max_memory_mb": "proxy.memory_max <= {}MB",
    "subscription_uptime": "subscription.uptime >= {}",
    "max_duplicate_rate": "subscription.duplicate_rate <= {}",
    "max_gap_rate": "subscription.gap_rate <= {}",
    "backfill_completion_ms": "subscription.backfill_time <= {}ms",
}
"""The first framework's mapping of objectives, and what each key means today."""


def from_legacy(mapping: dict[str, Any]) -> list[str]:
    """The objectives of the first framework's mapping. Raises ValueError naming unknown keys."""
    unknown = [key for key in mapping if key not in LEGACY_KEYS]
    if unknown:
        raise ValueError(f"unknown objective {unknown[0]!r}; as a mapping, slo knows {', '.join(LEGACY_KEYS)}")
    return [LEGACY_KEYS[key].format(value) for key, value in mapping.items()]
