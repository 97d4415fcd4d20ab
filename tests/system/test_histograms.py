"""Histograms that are counted with numpy, against those that HdrHistogram counts by itself."""

import numpy as np
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from battle.system.histograms import BUCKETS, Interval, buckets_of, encoded, log_lines

HOUR_US = 3_600_000_000
near_powers = st.builds(lambda power, off: max(1, (1 << power) + off), st.integers(0, 31), st.integers(-2, 2))
microseconds = st.one_of(st.integers(1, 5000), near_powers, st.integers(1, HOUR_US)).map(lambda us: min(us, HOUR_US))


@given(st.lists(microseconds, min_size=1, max_size=40))
def test_the_payload_is_that_of_recording_each_value(values_us: list[int]) -> None:
    histogram = HdrHistogram(1, HOUR_US, 3)
    for value in values_us:
        histogram.record_value(value)
    counts = np.bincount(buckets_of(np.array(values_us) * 1000), minlength=BUCKETS)
    assert len(counts) == BUCKETS
    assert encoded(counts) == histogram.encode().decode()


def test_durations_are_rounded_up_to_microseconds_and_kept_in_range() -> None:
    values = np.array([-5, 0, 1, 1000, 1001, HOUR_US * 1000, HOUR_US * 2000])
    expected = buckets_of(np.array([1, 1, 1, 1, 2, HOUR_US, HOUR_US]) * 1000)
    assert buckets_of(values).tolist() == expected.tolist()


def test_a_log_names_the_longest_and_leaves_empty_intervals_out() -> None:
    counts = np.bincount(buckets_of(np.array([1_000_000, 2_000_001])), minlength=BUCKETS)
    full, empty = Interval("run.reads.a", 1.5, 3, counts, 2_000_001), Interval("b", 0, 1, counts * 0, 0)
    *_, line = log_lines(100, [empty, full]).splitlines()
    assert line == f"Tag=run.reads.a,101.500,3.000,2.001,{encoded(counts)}"
