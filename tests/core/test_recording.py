"""Lines of recordings: what is printed is read back, to the nanosecond."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.recording import parse_line, print_line

JSON = st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5)


@given(st.integers(0, 2**52), st.lists(JSON, max_size=3))
def test_what_is_printed_is_read_back(offset: int, params: list[Any]) -> None:
    request = {"method": "m", "params": params}
    assert parse_line(print_line(offset, request)) == (offset, request)


@pytest.mark.parametrize(
    ("line", "offset", "request_"),
    [
        ('{"at_ms": 12.5}', 12_500_000, {}),
        ('{"verb": "GET", "at_ms": 0, "path": "/x"}', 0, {"verb": "GET", "path": "/x"}),
        ('{"at_ms": 1e3}\n', 1_000_000_000, {}),
    ],
)
def test_lines_are_read(line: str, offset: int, request_: dict[str, Any]) -> None:
    assert parse_line(line.encode()) == (offset, request_)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON: "),
        ("5", "not a JSON object"),
        ("[]", "not a JSON object"),
        ('{"method": "m"}', "'at_ms' is missing"),
        ('{"at_ms": "5"}', "'at_ms' is not a number"),
        ('{"at_ms": true}', "'at_ms' is not a number"),
        ('{"at_ms": null}', "'at_ms' is not a number"),
        ('{"at_ms": -1}', "'at_ms' is -1: it counts milliseconds from the start of the phase"),
        ('{"at_ms": 1e300}', "it counts milliseconds"),
        # a clock's time is no offset
        ('{"at_ms": 1700000000000}', "it counts milliseconds"),
        ('{"at_ms": NaN}', "not JSON"),
        ('{"at_ms": 1e999}', "not JSON"),
        ("\udcff", "not JSON"),
    ],
)
def test_what_is_wrong_with_a_line(line: str, said: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (its words are looked at below)
        parse_line(line.encode("utf-8", "surrogateescape"))
    assert said in str(raised.value)
