"""How many files and connections this process may have open at once."""

import sys

_KEPT_FREE = 64
"""For logs, record files, timers and control sockets."""
_UNKNOWN = 1 << 16


def most_connections() -> int:
    """Raise the limit on open files as far as is allowed, and give how many connections fit under it."""
    if sys.platform == "win32":
        return _UNKNOWN
    import resource  # noqa: PLC0415  (not on Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, _UNKNOWN)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(1, hard - _KEPT_FREE)
