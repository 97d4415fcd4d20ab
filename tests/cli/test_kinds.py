import pytest
from cli.commands import call, refused

from battle.analysis.indicator import indicators
from battle.cli.kind_settings import own_settings, shared_settings
from battle.core.component import kinds, rooms


def test_all_rooms_with_all_kinds() -> None:
    out = call("kinds").out
    for room, members in rooms().items():
        assert room in out
        assert [kind for kind in members if f"  {kind}" not in out] == []
    assert "indicators" in out


@pytest.mark.parametrize("room", ["chaos", "load", "protocols", "providers", "proxies", "reporters"])
def test_one_room_with_every_setting_and_example(room: str) -> None:
    out = call("kinds", room).out
    for kind in kinds(room).values():
        assert kind.summary()[:40] in out
        names = {field.alias or name for name, field in kind.model_fields.items()} - {"kind"}
        assert [name for name in names if f" {name} " not in out] == []


def test_indicators_with_unit_and_direction() -> None:
    out = call("kinds", "indicators").out
    assert [name for name in indicators() if name not in out] == []
    assert "higher" in out


def test_a_room_nearly_right() -> None:
    assert "did you mean 'chaos'" in str(refused("kinds", "chaoss").hint)


def test_a_room_that_is_like_none() -> None:
    hint = str(refused("kinds", "xyz").hint)
    assert "providers" in hint
    assert "indicators" in hint


@pytest.mark.parametrize(
    ("room", "kind", "name", "takes", "default"),
    [
        ("providers", "mock", "latency", "duration", "0s"),
        ("providers", "mock", "block_time", "duration", "1s"),
        ("providers", "mock", "error_rate", "share", "0%"),
        ("providers", "mock", "port", "whole number or null", "null"),
        ("providers", "process", "command", "text or list of text", None),
        ("load", "constant", "rate", "rate", None),
        ("chaos", "kill", "in_flight", "whole number", "0"),
    ],
)
def test_settings_are_told_as_one_writes_them(room: str, kind: str, name: str, takes: str, default: str | None) -> None:
    found = {setting.name: setting for setting in own_settings(kinds(room)[kind])}
    assert (found[name].takes, found[name].default) == (takes, default)


@pytest.mark.parametrize(
    ("room", "name", "takes", "default"),
    [
        ("chaos", "for", "duration or null", "null"),
        ("chaos", "may_miss", "true or false", "false"),
        ("proxies", "attempt_timeout", "duration", "500ms"),
        ("proxies", "strategy", "round_robin or least_request or priority", "round_robin"),
        (
            "proxies",
            "breaker",
            "{failures: whole number, open_for: duration} or null",
            '{"failures": 5, "open_for": "5s"}',
        ),
        ("load", "duration", "duration", None),
    ],
)
def test_settings_that_a_room_shares(room: str, name: str, takes: str, default: str | None) -> None:
    found = {setting.name: setting for setting in shared_settings(room)}
    assert (found[name].takes, found[name].default) == (takes, default)


def test_a_room_without_kinds_shares_nothing() -> None:
    assert shared_settings("no such room") == []
