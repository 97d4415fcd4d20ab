"""The fixed-size records that evidence is made of, and the small codes inside them.

All instants are CLOCK_MONOTONIC nanoseconds, one clock for every process of a machine; 0 means "did not happen".
The same layouts are written by the providers and workers (with struct, in place) and read by the analysis (with numpy).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from battle.core.codes import (
    ATTEMPT_FORMAT,
    NO_HEIGHT,
    NO_PROVIDER,
    RECORD_BYTES,
    REQUEST_FORMAT,
    REQUEST_MEMBER,
    REQUEST_PARTLY,
    REQUEST_RETRIED,
    REQUEST_REUSED,
    REQUEST_WAITED,
    ErrorClass,
    KeySource,
    Outcome,
)

__all__ = [
    "ATTEMPT",
    "ATTEMPT_FORMAT",
    "NO_HEIGHT",
    "NO_PROVIDER",
    "RECORD_BYTES",
    "REQUEST",
    "REQUEST_FORMAT",
    "REQUEST_MEMBER",
    "REQUEST_PARTLY",
    "REQUEST_RETRIED",
    "REQUEST_REUSED",
    "REQUEST_WAITED",
    "Attempts",
    "ErrorClass",
    "KeySource",
    "Outcome",
    "Requests",
]


REQUEST: Final = np.dtype(
    [
        ("key", "<u8"),
        ("scheduled_ns", "<i8"),
        ("started_ns", "<i8"),  # 0: never sent
        ("ended_ns", "<i8"),  # 0: no end was seen
        ("height", "<i8"),  # block height in the answer, NO_HEIGHT when it has none
        ("rpc_code", "<i4"),
        ("connection", "<u4"),
        ("user", "<u4"),  # closed model: which user, from 1; 0 in the open model
        ("template", "<u2"),  # index into the scenario's request templates
        ("status", "<u2"),
        ("stream", "u1"),
        ("phase", "u1"),  # index into the stream's load phases
        ("outcome", "u1"),
        ("error", "u1"),
        ("witness_provider", "u1"),  # the provider that the proxy says served; NO_PROVIDER when it does not say
        ("witness_attempts", "u1"),  # attempts that the proxy says it made; 0 when it does not say
        ("witness_first", "u1"),  # the provider that the proxy says it tried first
        ("flags", "u1"),
    ]
)

ATTEMPT: Final = np.dtype(
    [
        ("key", "<u8"),  # 0: an arrival without a key of this run
        ("arrived_ns", "<i8"),
        ("answered_ns", "<i8"),  # marked before the answer is sent; 0: never answered
        ("closed_ns", "<i8"),  # the peer went away before the answer; 0: it did not
        ("height", "<i8"),
        ("rpc_code", "<i4"),
        ("faults", "<u4"),  # bit i: the fault with number i met this arrival
        ("connection", "<u4"),
        ("status", "<u2"),
        ("provider", "u1"),
        ("incarnation", "u1"),  # counts the provider's processes, from 1
        ("key_source", "u1"),
        ("executed", "u1"),  # 1: the call was carried out
        ("batch_index", "u1"),
        ("reserved", "u1", (5,)),
    ]
)


Requests = NDArray[np.void]
"""A structured array of dtype REQUEST, one row per arrival, in the order of keys."""
Attempts = NDArray[np.void]
"""A structured array of dtype ATTEMPT."""
