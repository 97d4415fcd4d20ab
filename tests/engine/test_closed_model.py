"""The closed model, with a dispatcher that answers at once or drops."""

import asyncio
import time
from collections.abc import Callable

from battle.core.ports.load import ClosedPattern, Pattern
from battle.core.ports.wire import Call
from battle.core.scenario import Scenario
from battle.engine.closed_model import ClosedModel
from battle.engine.dispatching import Dispatcher


class Dropping(Dispatcher):
    """Drops the first calls, and answers the others after a moment."""

    def __init__(self, drops: int) -> None:
        self.drops = drops
        self.answered = 0
        self._left = None

    def dispatch(  # noqa: PLR0917  (as that of the dispatcher)
        self,
        scheduled_ns: int,
        now_ns: int,
        phase: int,
        template: int | None = None,
        user: int = 0,
        then: Callable[[Call], None] | None = None,
    ) -> bool:
        if self.drops:
            self.drops -= 1
            return False
        self.answered += 1
        call = Call(self.answered, 0, scheduled_ns, phase, user, ended_ns=now_ns)
        assert then is not None
        asyncio.get_running_loop().call_later(0.01, then, call)
        return True


def test_a_user_whose_call_was_dropped_goes_on() -> None:
    data = {
        "name": "t",
        "setup": {"providers": {"alpha": {"kind": "mock"}}},
        "workload": {"r": {"load": {"kind": "users", "users": 2, "duration": "600ms"}, "requests": [{"method": "m"}]}},
    }
    pattern = Scenario.model_validate(data).workload["r"].load[0]
    assert isinstance(pattern, ClosedPattern)

    async def run() -> int:
        dispatcher = Dropping(drops=2)
        model = ClosedModel(dispatcher, pattern, 0, 0)
        model.start(time.monotonic_ns())
        await asyncio.sleep(0.5)
        model.stop()
        return dispatcher.answered

    assert asyncio.run(run()) > 2


def test_a_timer_that_fires_early_sends_nothing_before_the_phase() -> None:
    pattern = Pattern.named("users", users=2, duration="1h")
    assert isinstance(pattern, ClosedPattern)

    async def run() -> tuple[int, int]:
        dispatcher = Dropping(drops=0)
        model = ClosedModel(dispatcher, pattern, 0, 0)
        model.start(time.monotonic_ns() + 300_000_000)
        model._look()
        early = dispatcher.answered
        await asyncio.sleep(0.6)
        model.stop()
        return early, dispatcher.answered

    early, later = asyncio.run(run())
    assert early == 0
    assert later >= 2
