"""Signals are noted while a run goes on, and what was there before comes back."""

import os
import signal
import threading

from battle.engine.signals import Signals


def test_signals_are_noted_in_order_and_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Signals() as signals:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGINT):
            os.kill(os.getpid(), number)
        assert signals.received == ["SIGTERM", "SIGINT", "SIGINT"]
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_nothing_is_taken() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def enter() -> None:
        with Signals():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]
