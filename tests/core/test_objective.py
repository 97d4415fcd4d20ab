import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from battle.core.objective import (
    WHERE_KEYS,
    Condition,
    Objective,
    Quantity,
    Unit,
    from_legacy,
    parse_condition,
    parse_quantity,
)

MS = 1_000_000


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("p95 <= 250ms", Condition("p95", "<=", Quantity(250 * MS, Unit.DURATION))),
        ("p99.9<1s", Condition("p99.9", "<", Quantity(1000 * MS, Unit.DURATION))),
        ("  success_rate  >=  99.9%  ", Condition("success_rate", ">=", Quantity(0.999, Unit.SHARE))),
        ("success_rate >= 0.99", Condition("success_rate", ">=", Quantity(0.99, Unit.NUMBER))),
        ("height_regressions == 0", Condition("height_regressions", "==", Quantity(0, Unit.NUMBER))),
        ("amplification > 1.5", Condition("amplification", ">", Quantity(1.5, Unit.NUMBER))),
        ("throughput >= 6000/m", Condition("throughput", ">=", Quantity(100, Unit.RATE))),
        ("proxy.memory_max <= 64MB", Condition("proxy.memory_max", "<=", Quantity(64_000_000, Unit.SIZE))),
        (
            "success_rate >= 99% during kill-alpha",
            Condition("success_rate", ">=", Quantity(0.99, Unit.SHARE), "during", "kill-alpha"),
        ),
        ("p50 <= 1m30s after k", Condition("p50", "<=", Quantity(90_000 * MS, Unit.DURATION), "after", "k")),
        ("recovery_time <= 2s of k_1", Condition("recovery_time", "<=", Quantity(2000 * MS, Unit.DURATION), "of", "k_1")),
        (
            "p95 <= 1.5x baseline in steady where method=eth_call provider=alpha",
            Condition(
                "p95",
                "<=",
                Quantity(1.5, Unit.RELATIVE),
                "in",
                "steady",
                (("method", "eth_call"), ("provider", "alpha")),
            ),
        ),
        ("p95 <= 2 x baseline", Condition("p95", "<=", Quantity(2, Unit.RELATIVE))),
    ],
)  # fmt: skip
def test_objectives_as_one_writes_them(text: str, condition: Condition) -> None:
    assert parse_condition(text) == condition


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not an objective; write <indicator> <op> <value>"),
        ("p95", "is not an objective"),
        ("p95 <=", "is not an objective"),
        ("p95 = 3ms", "is not an objective"),
        ("p95 != 3ms", "is not an objective"),
        ("p95 <= -3ms", "is not an objective"),
        ("P95 <= 3ms", "is not an objective"),
        ("p95 <= 3ms around k", "is not an objective"),
        ("p95 <= 3ms during", "is not an objective"),
        ("p95 <= 3ms where", "is not an objective"),
        ("p95 <= 3ms where method", "is not an objective"),
        ("p95 <= 3ms where method=a during k", "is not an objective"),  # in this order
        ("p95 <= 3ms during 9k", "is not an objective"),
        ("p95 <= 3mss", "'3mss' is not a duration"),
        ("success_rate >= 101%", "is not a share between 0 and 1"),
        ("p95 <= 1.5x", "a relative value is written like `1.5x baseline`"),
        ("p95 <= 250ms baseline", "a relative value is written like `1.5x baseline`"),
        ("p95 <= 3ms where user=3", "'user' is not a `where` key; they are stream, method, provider"),
    ],
)
def test_what_is_no_objective(text: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (its text is compared below)
        parse_condition(text)
    assert said in str(refused.value)


def test_a_hostile_objective_is_refused_at_once() -> None:
    started = time.perf_counter()
    with pytest.raises(ValueError, match="is not an objective"):
        parse_condition("p95 <= 1s where " + f"{'=' * 60} " * 40 + "x")
    assert time.perf_counter() - started < 1


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,12}", fullmatch=True)
quantities = st.one_of(
    st.builds(Quantity, st.integers(0, 2**53).map(float), st.just(Unit.DURATION)),
    st.builds(Quantity, st.floats(0, 1), st.just(Unit.SHARE)),
    st.builds(Quantity, st.floats(0, 1e9), st.just(Unit.RATE)),
    st.builds(Quantity, st.integers(0, 2**53).map(float), st.just(Unit.SIZE)),
    st.builds(Quantity, st.integers(0, 99_999).map(float), st.just(Unit.NUMBER)),
    st.builds(Quantity, st.integers(0, 9999).map(lambda n: n / 100), st.just(Unit.RELATIVE)),
)
conditions = st.builds(
    lambda indicator, op, required, window, where: Condition(indicator, op, required, *window, tuple(where)),
    st.from_regex(r"[a-z][a-z0-9_]{0,8}(\.[a-z0-9_]{1,5}){0,2}", fullmatch=True),
    st.sampled_from([">=", "<=", ">", "<", "=="]),
    quantities,
    st.just((None, None)) | st.tuples(st.sampled_from(["during", "after", "before", "in", "of"]), names),
    st.lists(st.tuples(st.sampled_from(WHERE_KEYS), names), max_size=3),
)


@given(conditions)
def test_a_printed_objective_is_the_same_objective(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition


@given(st.integers(0, 10**17))
def test_a_printed_number_keeps_all_its_digits(number: int) -> None:
    quantity = Quantity(float(number), Unit.NUMBER)
    assert parse_quantity(str(quantity)) == quantity


@given(st.text(alphabet="p95 <=>whermdurin.x%=0/sKB-_\n"))
def test_any_text_is_an_objective_or_a_value_error(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017  (some texts are objectives)
    else:
        assert parse_condition(str(condition)) == condition


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [
        (">=", False, True, True),
        ("<=", True, True, False),
        (">", False, False, True),
        ("<", True, False, False),
        ("==", False, True, False),
    ],
)
def test_what_holds(op: str, below: bool, equal: bool, above: bool) -> None:
    condition = parse_condition(f"p95 {op} 2s")
    assert [condition.holds(actual, 2.0) for actual in (1.0, 2.0, 3.0)] == [below, equal, above]


def test_an_objective_is_a_text_or_a_mapping() -> None:
    short = Objective.model_validate("p95 <= 250ms")
    assert (short.guard, short.for_, short.min_samples, short.warn) == (False, 5_000_000_000, None, False)
    full = Objective.model_validate({"objective": " p95 <= 250ms ", "guard": True, "for": "2s", "min_samples": 7})
    assert (full.objective, full.guard, full.for_, full.min_samples) == ("p95 <= 250ms", True, 2_000_000_000, 7)
    assert full.condition == short.condition
    with pytest.raises(ValidationError, match="not an objective"):
        Objective.model_validate({"objective": "p95"})


def test_the_first_frameworks_mapping() -> None:
    assert from_legacy({"success_rate": 0.95, "p95_latency_ms": 200, "max_memory_mb": 512}) == [
        "success_rate >= 0.95",
        "p95 <= 200ms",
        "proxy.memory_max <= 512MB",
    ]
    with pytest.raises(ValueError, match="unknown objective 'p94'; as a mapping, slo knows success_rate, "):
        from_legacy({"p94": 1})
