from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.units import (
    format_duration,
    format_rate,
    format_share,
    format_size,
    parse_duration_ns,
    parse_rate_per_s,
    parse_share,
    parse_size_bytes,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_duration_ns, "20ms", 20_000_000),
        (parse_duration_ns, "1.5s", 1_500_000_000),
        (parse_duration_ns, "1m30s", 90_000_000_000),
        (parse_duration_ns, " 2h ", 7_200_000_000_000),
        (parse_duration_ns, "1d", 86_400_000_000_000),
        (parse_duration_ns, "3us", 3_000),
        (parse_duration_ns, "3µs", 3_000),
        (parse_duration_ns, "7ns", 7),
        (parse_duration_ns, "0s", 0),
        (parse_duration_ns, 0, 0),  # nothing needs no unit
        (parse_duration_ns, "0.1ms", 100_000),
        (parse_rate_per_s, "200/s", 200.0),
        (parse_rate_per_s, "30/m", 0.5),
        (parse_rate_per_s, "36 / h", 0.01),
        (parse_rate_per_s, "2.5/s", 2.5),
        (parse_share, "5%", 0.05),
        (parse_share, "99.9 %", 0.999),
        (parse_share, "0.05", 0.05),
        (parse_share, 0.05, 0.05),
        (parse_share, 1, 1.0),
        (parse_share, "0%", 0.0),
        (parse_size_bytes, "64KB", 64_000),
        (parse_size_bytes, "1.5 MB", 1_500_000),
        (parse_size_bytes, "10MiB", 10 * 2**20),
        (parse_size_bytes, "7B", 7),
        (parse_size_bytes, 0, 0),
    ],
)
def test_quantities_as_one_writes_them(parse: Callable[[object], float], text: object, value: float) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_duration_ns, 200, "200 has no unit; did you mean 200ms or 200s?"),
        (parse_duration_ns, "200", "'200' is not a duration (write it like 20ms, 1.5s, 1m30s)"),
        (parse_duration_ns, "1.5", "is not a duration"),
        (parse_duration_ns, "-1s", "is not a duration"),
        (parse_duration_ns, "1 s", "is not a duration"),
        (parse_duration_ns, "1S", "is not a duration"),
        (parse_duration_ns, "s", "is not a duration"),
        (parse_duration_ns, "1e3s", "is not a duration"),
        (parse_duration_ns, "", "is not a duration"),
        (parse_duration_ns, None, "is not a duration"),
        (parse_duration_ns, True, "is not a duration"),
        (parse_duration_ns, "105d", "is longer than any run"),
        (parse_duration_ns, "9" * 500 + "s", "is longer than any run"),
        (parse_rate_per_s, 200, "200 has no unit; did you mean 200/s?"),
        (parse_rate_per_s, "200", "'200' is not a rate (write it like 200/s, 30/m)"),
        (parse_rate_per_s, "200/ms", "is not a rate"),
        (parse_rate_per_s, "200rps", "is not a rate"),
        (parse_rate_per_s, "1000000001/s", "is more than a billion per second"),
        (parse_share, 5, "5 is not a share between 0 and 1 (write it like 5% or 0.05); did you mean 5%?"),
        (parse_share, "99.9", "did you mean 99.9%?"),
        (parse_share, "101%", "is not a share between 0 and 1"),
        (parse_share, 1000, "is not a share between 0 and 1"),
        (parse_share, -0.5, "is not a share between 0 and 1"),
        (parse_share, "many", "'many' is not a share (write it like 5% or 0.05)"),
        (parse_share, True, "is not a share"),
        (parse_size_bytes, 64, "64 has no unit; did you mean 64KB?"),
        (parse_size_bytes, "64", "is not a size"),
        (parse_size_bytes, "64kb", "is not a size"),
        (parse_size_bytes, "9" * 500 + "GB", "is larger than any machine"),
    ],
)
def test_what_is_no_quantity_says_what_was_meant(parse: Callable[[object], float], text: object, said: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (its text is compared below)
        parse(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        (format_duration(1_500_000_000), "1.5s"),
        (format_duration(90_000_000_000), "90s"),
        (format_duration(120_000_000_000), "2m"),
        (format_duration(7_200_000_000_000), "2h"),
        (format_duration(250_000_000), "250ms"),
        (format_duration(1_500), "1.5us"),
        (format_duration(999), "999ns"),
        (format_duration(0), "0s"),
        (format_rate(200.0), "200/s"),
        (format_rate(0.5), "0.5/s"),
        (format_share(0.999), "99.9%"),
        (format_share(1.0), "100%"),
        (format_share(0.0), "0%"),
        (format_size(64_000), "64KB"),
        (format_size(1_234_567), "1.234567MB"),
        (format_size(12), "12B"),
    ],
)
def test_quantities_as_reports_show_them(printed: str, text: str) -> None:
    assert printed == text


@given(st.integers(0, 2**53))
def test_a_printed_duration_is_the_same_duration(ns: int) -> None:
    assert parse_duration_ns(format_duration(ns)) == ns


@given(st.integers(0, 2**53))
def test_a_printed_size_is_the_same_size(size_bytes: int) -> None:
    assert parse_size_bytes(format_size(size_bytes)) == size_bytes


@given(st.floats(0, 1e9))
def test_a_printed_rate_is_the_same_rate(per_s: float) -> None:
    assert parse_rate_per_s(format_rate(per_s)) == per_s


@given(st.floats(0, 1))
def test_a_printed_share_is_the_same_share(share: float) -> None:
    assert parse_share(format_share(share)) == share


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers()))
def test_anything_else_is_refused_as_a_value_error(value: object) -> None:
    for parse in (parse_duration_ns, parse_rate_per_s, parse_share, parse_size_bytes):
        try:
            assert parse(value) >= 0
        except ValueError as error:
            assert str(error)  # noqa: PT017  (most values are refused, some are not)
