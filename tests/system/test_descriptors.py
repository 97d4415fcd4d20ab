"""A process that may open few files waits for a free connection rather than fail for want of one."""

import resource
import subprocess
import sys

CODE = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from battle.system.descriptors import most_connections
most = most_connections()
print(most, *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def asked(soft: int, hard: int) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(soft=soft, hard=hard)], capture_output=True, text=True, check=True
    )
    return [int(word) for word in done.stdout.split()]


def test_the_limit_is_raised_as_far_as_allowed() -> None:
    assert asked(100, 300) == [236, 300, 300]


def test_a_small_limit_leaves_one_connection() -> None:
    assert asked(50, 50) == [1, 50, 50]


def test_this_process_may_open_some() -> None:
    from battle.system.descriptors import most_connections  # noqa: PLC0415

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert most_connections() >= 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
