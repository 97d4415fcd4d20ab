"""Which event loop a process runs on."""

import asyncio
import sys

import pytest

from battle.system.event_loop import CHOICE, loop_kind, run, why_not_uvloop


def module_of_the_loop() -> str:
    seen = []

    async def look() -> None:
        seen.append(type(asyncio.get_running_loop()).__module__)

    run(look())
    return seen[0]


def test_uvloop_where_there_is_one() -> None:
    assert (loop_kind(), why_not_uvloop()) == ("uvloop", None)
    assert module_of_the_loop().startswith("uvloop")


def test_asyncio_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOICE, "asyncio")
    assert (loop_kind(), why_not_uvloop()) == ("asyncio", "uvloop is not used, since BATTLE_LOOP says so")
    assert module_of_the_loop().startswith("asyncio")


def test_asyncio_where_uvloop_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)  # as if it were not installed
    assert (loop_kind(), why_not_uvloop()) == ("asyncio", "uvloop is not installed")
    assert module_of_the_loop().startswith("asyncio")
