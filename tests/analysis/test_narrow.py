"""Columns and counts that take no more memory than their values need, against plain numpy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.analysis.key_index import NOBODY, KeyIndexBuilder
from battle.analysis.narrow import NarrowColumn, NarrowCounts, counted

durations = st.one_of(st.just(7), st.integers(0, 300), st.integers(-(2**40), 2**40))


@given(st.lists(st.lists(durations, max_size=5), max_size=6))
def test_a_column_holds_what_was_put_into_it(pieces: list[list[int]]) -> None:
    column = NarrowColumn(40, np.int32)
    for piece in pieces:
        column.put(np.array(piece, np.int64))
    assert column.done().tolist() == [value for piece in pieces for value in piece]


@pytest.mark.parametrize(
    ("values", "dtype", "held"),
    [
        ([5, 5, 5], np.int32, 0),
        ([5, 5, 6], np.int32, 4),
        ([0, 2**31 - 1], np.int32, 4),
        ([0, 2**31], np.int64, 8),
        ([2**31, 2**31], np.int64, 0),
    ],
)
def test_a_column_is_as_wide_as_its_values(values: list[int], dtype: Any, held: int) -> None:
    column = NarrowColumn(10, np.int32)
    for value in values:
        column.put(np.array([value]))
    assert column.done().dtype == dtype
    assert column.done().strides == (held,)


@given(st.lists(st.lists(st.integers(0, 400), max_size=30), max_size=5), st.integers(0, 700))
def test_counts_are_those_of_bincount(pieces: list[list[int]], often: int) -> None:
    counts = NarrowCounts(401)
    for piece in [*pieces, [3] * often]:
        counts.add(np.array(piece, np.int64))
    everything = [one for piece in pieces for one in piece] + [3] * often
    assert counts.counts.tolist() == np.bincount(everything, minlength=401).tolist() if everything else True
    assert counted(np.array([one % 256 for one in everything], np.uint8)).sum() == len(everything)


def test_counts_widen_over_several_additions() -> None:
    counts = NarrowCounts(3)
    for _ in range(300):
        counts.add(np.array([1, 1, 2]))
    assert counts.counts.tolist() == [0, 600, 300]


@given(st.sets(st.integers(1000, 1060)), st.sets(st.integers(990, 1070)), st.integers(1, 9))
def test_places_of_keys(present: set[int], asked: set[int], size: int) -> None:
    keys = np.array(sorted(present), np.int64)
    builder = KeyIndexBuilder()
    for first in range(0, len(keys), size):
        builder.put(keys[first : first + size])
    index = builder.done()
    expected = [sorted(present).index(key) if key in present else NOBODY for key in asked]
    assert index.places_of(np.array(list(asked), np.int64)).tolist() == expected
    assert index.keys().tolist() == keys.tolist()
    assert index.missing() == (max(present) - min(present) + 1 - len(present) if present else 0)


@given(st.lists(st.sets(st.integers(0, 40)), min_size=1, max_size=5), st.integers(0, 7))
def test_keys_are_missing_only_between_those_of_their_worker(shares: list[set[int]], base: int) -> None:
    workers = len(shares)
    builder = KeyIndexBuilder()
    keys = sorted(base + worker + turn * workers for worker, turns in enumerate(shares) for turn in turns)
    builder.put(np.array(keys, np.int64))
    missing = sum(max(turns) - min(turns) + 1 - len(turns) for turns in shares if turns)
    assert builder.done().missing(workers) == missing
