"""HdrHistogram interval logs: the one module that touches the `hdrhistogram` package.

The package answers 0 for percentiles of nothing and drops values out of range without a word; here the range is checked
and nothing is asked of empty histograms. Its log writer cannot write a start time, so the lines are written here.
"""

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

_LOWEST_US = 1
_HIGHEST_US = 3_600_000_000
_DIGITS = 3


def encoded(values_ns: NDArray[np.int64]) -> tuple[str, float]:
    """A histogram of durations in µs as a log line's payload, and its largest value in ms."""
    histogram = HdrHistogram(_LOWEST_US, _HIGHEST_US, _DIGITS)
    whole = np.clip((values_ns + 999) // 1000, _LOWEST_US, _HIGHEST_US)
    for value, count in zip(*np.unique(whole, return_counts=True), strict=True):
        histogram.record_value(int(value), int(count))
    return histogram.encode().decode(), float(whole.max()) / 1000


def log_lines(start_s: float, intervals: list[tuple[str, float, float, NDArray[np.int64]]]) -> str:
    """An interval log: (tag, start and length in s from the log's start, durations in ns) a line, empty ones left out.

    The format is version 1.3 of HdrHistogram's log (G. Tene), with values in µs.
    """
    lines = [
        "#[Histogram log format version 1.3]",
        f"#[StartTime: {start_s:.3f} (seconds since epoch)]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    for tag, offset, length, values in intervals:
        if len(values):
            payload, highest = encoded(values)
            lines.append(f"Tag={tag},{start_s + offset:.3f},{length:.3f},{highest:.3f},{payload}")
    return "\n".join(lines) + "\n"
