"""The attribution key: a number of 53 bits that every request carries and every provider records.

A run draws a base in [2^52, 2^53) whose low 33 bits are zero, and counts up from it. So each key has exactly 16
decimal and 14 hexadecimal digits (request bytes can be rendered beforehand), survives JSON readers that hold numbers
as doubles, and `key - base` is a dense index.
"""

COUNTER_BITS = 33
_TOP = 1 << 52
TRACE_PREFIX = "ba771e000000000000"
"""The first 18 of a trace id's 32 hexadecimal digits; the key's 14 follow."""
PARENT_ID = "ba771e0000000001"
"""The parent id of every traceparent: no key, since a proxy that traces puts its own there."""
ADDRESS_PREFIX = "0xba771e00000000000000000000"
"""The first 26 hexadecimal digits of an `${address}`; the key's 14 follow."""
PROBE_ID = "battle-probe"
"""The JSON-RPC id of battle's own probes: providers answer them and do not record them."""


def key_base(draw: int) -> int:
    """The base of a run from any random number."""
    return _TOP | ((draw << COUNTER_BITS) & (_TOP - 1))


def belongs(key: int, base: int) -> bool:
    """Whether a number is a key of the run with this base."""
    return key >> COUNTER_BITS == base >> COUNTER_BITS


def traceparent(key: int) -> str:
    """The value of the `traceparent` header (W3C Trace Context) that carries a key."""
    return f"00-{TRACE_PREFIX}{key:014x}-{PARENT_ID}-01"


def address(key: int) -> str:
    """An Ethereum address that holds the key in its last 14 digits."""
    return f"{ADDRESS_PREFIX}{key:014x}"
