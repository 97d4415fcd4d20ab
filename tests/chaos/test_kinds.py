"""Faults as plans: when they come, what they ask of a provider, and what a probe must show."""

from typing import Any

import pytest
from pydantic import ValidationError

from battle.chaos.on_answers import AnswerFault
from battle.core.component import kinds
from battle.core.effects import Effect
from battle.core.ports.fault import Fault, Occurrence, Probe, ProbeOutcome
from battle.core.units import NS_PER_MS, NS_PER_S

S = NS_PER_S


def fault(kind: str, **settings: Any) -> Fault:
    return Fault.named(kind, **{"target": "alpha", "at": "1s", **settings})


def probe(outcome: str = "answered", ms: float = 20, status: int = 200, body: Any = None, healthy: float = 20) -> Probe:
    return Probe(0, round(ms * NS_PER_MS), ProbeOutcome(outcome), status, body, round(healthy * NS_PER_MS))


@pytest.mark.parametrize(
    ("made", "room", "expected"),
    [
        (fault("kill"), 9 * S, [(0, None)]),
        (fault("kill", **{"for": "2s"}), 9 * S, [(0, 2)]),
        (fault("kill", **{"for": "1s", "every": "3s"}), 9 * S, [(0, 1), (3, 1), (6, 1)]),
        (fault("kill", **{"for": "1s", "every": "3s", "times": 2}), 9 * S, [(0, 1), (3, 1)]),
        (fault("flap", down="1s", up="2s", times=2), 9 * S, [(0, 1), (3, 1)]),
        (fault("flap", down="1s", up="2s", **{"for": "7s"}), 9 * S, [(0, 1), (3, 1)]),  # whole cycles only
    ],
)
def test_occurrences(made: Fault, room: int, expected: list[tuple[int, int | None]]) -> None:
    wanted = [Occurrence(start * S, None if length is None else length * S) for start, length in expected]
    assert list(made.occurrences(room)) == wanted


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "kill", "at": None}, "say when"),
        ({"kind": "kill", "after": "x"}, "say when"),
        ({"kind": "kill", "delay": "1s"}, "goes with `after`"),
        ({"kind": "kill", "times": 2}, "`times` needs `every`"),
        ({"kind": "kill", "every": "2s"}, "shorter `for`"),
        ({"kind": "kill", "every": "2s", "for": "2s"}, "shorter `for`"),
        ({"kind": "flap", "down": "1s", "up": "1s"}, "how often"),
        ({"kind": "flap", "down": "1s", "up": "1s", "times": 2, "for": "9s"}, "how often"),
        ({"kind": "degrade"}, "nothing would be degraded"),
        ({"kind": "http_error", "status": 200}, "greater than or equal to 400"),
        ({"kind": "latency", "latency": "0s"}, "greater than 0"),
    ],
)
def test_nonsense_is_refused_with_a_reason(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Fault.named(**{"target": "alpha", "at": "1s", **settings})


@pytest.mark.parametrize(
    ("made", "effects"),
    [
        (fault("hang"), [Effect(hang=True)]),
        (fault("hang", share="25%", methods=["eth_call"]), [Effect(hang=True, share=0.25, methods=("eth_call",))]),
        (
            fault("latency", latency="300ms", jitter="10ms"),
            [Effect(delay_ns=300 * NS_PER_MS, jitter_ns=10 * NS_PER_MS)],
        ),
        (fault("http_error", status=503, retry_after="1500ms"), [Effect(status=503, headers={"retry-after": "2"})]),
        (fault("rpc_error", code=-5, message="m"), [Effect(rpc_error={"code": -5, "message": "m"})]),
        (
            fault("degrade", latency="1ms", error_rate="50%", share="50%"),
            [Effect(delay_ns=NS_PER_MS, share=0.5), Effect(status=500, share=0.25)],
        ),
    ],
)
def test_settings_become_effects(made: Fault, effects: list[Effect]) -> None:
    assert isinstance(made, AnswerFault)
    assert made.effects() == effects
    assert [Effect.from_message(effect.to_message()) for effect in effects] == effects


RPC_ERROR = {"error": {"code": -32000}}


@pytest.mark.parametrize(
    ("made", "seen", "says"),
    [
        (fault("kill"), probe("refused"), True),
        (fault("kill"), probe("broken"), True),
        (fault("kill"), probe("silent", ms=200), None),  # a process that is being stopped says nothing yet
        (fault("kill"), probe(status=500), False),
        (fault("terminate"), probe("refused"), True),
        (fault("pause"), probe("silent", ms=200), True),
        (fault("pause"), probe("refused"), None),  # another fault killed it
        (fault("pause"), probe(), False),
        (fault("hang"), probe("silent", ms=200), True),
        (fault("hang"), probe(), False),
        (fault("latency", latency="300ms"), probe(ms=321), True),
        (fault("latency", latency="300ms"), probe(ms=259), False),  # 20 healthy + 0.8 × 300 = 260
        (fault("latency", latency="300ms"), probe("refused"), None),
        (fault("latency", latency="300ms", jitter="100ms"), probe(ms=200), True),
        (fault("http_error", status=503), probe(status=503), True),
        (fault("http_error", status=503), probe(status=500), False),
        (fault("http_error", status=503), probe("refused"), None),
        (fault("rpc_error", code=-32000), probe(body=RPC_ERROR), True),
        (fault("rpc_error", code=-32001), probe(body=RPC_ERROR), False),
        (fault("rpc_error"), probe(body="no object"), False),
        (fault("degrade", latency="100ms", error_rate="10%"), probe(ms=150, status=500), True),
        (fault("degrade", latency="100ms", error_rate="10%"), probe(ms=150), None),  # half of it shows
        (fault("degrade", latency="100ms", error_rate="10%"), probe(ms=20), False),
        (fault("degrade", error_rate="10%"), probe(status=500), True),
    ],
)
def test_what_a_probe_shows(made: Fault, seen: Probe, says: bool | None) -> None:
    assert made.verify(seen) is says


def test_probes_wait_long_enough_to_see_the_delay() -> None:
    made = fault("latency", latency="3s", jitter="1s")
    assert made.silence_ns(20 * NS_PER_MS) > 4 * S


def test_every_kind_has_an_example_that_is_valid() -> None:
    import yaml  # noqa: PLC0415

    for kind, component in kinds("chaos").items():
        settings = yaml.safe_load(component.example)
        assert settings["kind"] == kind
        assert component.model_validate(settings).kind == kind
        assert component.summary()
