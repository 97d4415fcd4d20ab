"""HdrHistogram interval logs: the one module that touches the `hdrhistogram` package.

The package answers 0 for percentiles of nothing and drops values out of range without a word; here the range is checked
and nothing is asked of empty histograms. Its log writer cannot write a start time, so the lines are written here.
"""

from dataclasses import dataclass

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

_LOWEST_US = 1
_HIGHEST_US = 3_600_000_000
_DIGITS = 3
_HALF_BITS = 10  # a histogram of three digits tells 1,024 values apart between each power of two and the next
_HALF = 1 << _HALF_BITS


def _bucket_of_us(values_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bucket of each value, without gaps and ascending with the values: as HdrHistogram counts, from its layout."""
    _, bits = np.frexp(values_us.astype(np.float64))  # the length in bits, exactly: values are below 2^53
    shift = np.maximum(bits - (_HALF_BITS + 1), 0)
    bucket: NDArray[np.int64] = shift * _HALF + (values_us >> shift)
    return bucket


def buckets_of(values_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bucket, below BUCKETS, of each duration in ns: rounded up to µs, from 1 µs to 1 h."""
    return _bucket_of_us(_whole_us(values_ns))


def _whole_us(values_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.clip((values_ns + 999) // 1000, _LOWEST_US, _HIGHEST_US)


BUCKETS = int(_bucket_of_us(np.array([_HIGHEST_US]))[0]) + 1


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of a log: its start and length in s from the log's start, the durations by bucket, and the longest."""

    tag: str
    start_s: float
    length_s: float
    counts: NDArray[np.int64]
    longest_ns: int


def encoded(counts: NDArray[np.int64]) -> str:
    """The histogram of durations that were counted by bucket, as a log line's payload."""
    histogram = HdrHistogram(_LOWEST_US, _HIGHEST_US, _DIGITS)
    for bucket in np.flatnonzero(counts).tolist():
        shift = max(0, bucket // _HALF - 1)
        histogram.record_value((bucket - shift * _HALF) << shift, int(counts[bucket]))
    return str(histogram.encode().decode())


def log_lines(start_s: float, intervals: list[Interval]) -> str:
    """An interval log, one line an interval; empty ones are left out.

    The format is version 1.3 of HdrHistogram's log (G. Tene), with values in µs.
    """
    lines = [
        "#[Histogram log format version 1.3]",
        f"#[StartTime: {start_s:.3f} (seconds since epoch)]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    for one in intervals:
        if np.any(one.counts):
            highest = float(_whole_us(np.array([one.longest_ns]))[0]) / 1000
            payload = encoded(one.counts)
            lines.append(f"Tag={one.tag},{start_s + one.start_s:.3f},{one.length_s:.3f},{highest:.3f},{payload}")
    return "\n".join(lines) + "\n"
