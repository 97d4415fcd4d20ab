"""The small codes inside records, and the records' layouts for the struct module.

Apart from records.py, whose layouts are the same for numpy, since a provider process must start fast without it.
"""

from enum import IntEnum
from typing import Final


class Outcome(IntEnum):
    """How a request ended. UNFINISHED is what a slot says that was allocated and never written."""

    UNFINISHED = 0
    OK = 1
    FAILED = 2
    DROPPED = 3
    CANCELLED = 4


class ErrorClass(IntEnum):
    """Why a request failed; NONE for the ok ones."""

    NONE = 0
    CONNECT = 1
    RESET = 2
    TIMEOUT = 3
    CLOSED = 4
    TLS = 5
    DNS = 6
    HTTP_4XX = 7
    HTTP_5XX = 8
    RPC_ERROR = 9
    RPC_CLIENT_ERROR = 10
    INVALID = 11
    WRONG_ID = 12
    NULL_RESULT = 13
    WRONG_CHAIN = 14
    UNEXPECTED = 15

    @property
    def label(self) -> str:
        """The name as reports write it, for example "http_5xx"."""
        return self.name.lower()


class KeySource(IntEnum):
    """Where a provider found the key of an arrival."""

    NONE = 0
    ID = 1
    HEADER = 2
    PARAM = 3


NO_PROVIDER: Final = 255
NO_HEIGHT: Final = -1

REQUEST_FORMAT: Final = "<QqqqqiIIHHBBBBBBBB"
REQUEST_REUSED: Final = 1
"""Flag: sent on a connection that had served before."""
REQUEST_WAITED: Final = 2
"""Flag: waited for a free connection."""
REQUEST_RETRIED: Final = 4
"""Flag: sent a second time, since the first connection had served before and was closed without a byte."""
REQUEST_MEMBER: Final = 8
"""Flag: a further call of a batch, whose HTTP request is recorded by its first call."""
REQUEST_PARTLY: Final = 16
"""Flag, of every call of a batch: not all of its calls were ok."""

ATTEMPT_FORMAT: Final = "<QqqqqiIIHBBBBB5x"

RECORD_BYTES: Final = 64
