"""Which requests met a fault, and how that is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from battle.analysis.fault_times import FaultTimes, Injected
from battle.analysis.reading import Reading, found_once
from battle.core.units import NS_PER_S

_LIVE_BEFORE_NS = 2 * NS_PER_S
_WORDS = {
    "records": "the providers' records",
    "witness": "the proxy's witness",
    "failures": "failures without any record",
}


@dataclass(frozen=True, slots=True)
class Touched:
    """How many requests met a fault (None: some did, and nobody knows how many), and how that is known."""

    requests: int | None
    how: str

    @property
    def met(self) -> bool:
        """Whether the fault met any traffic at all."""
        return self.requests != 0


@found_once
def touched(reading: Reading, name: str) -> Touched:
    """The requests that met the fault.

    A fault on the answers of a provider marks the records of the arrivals that it met. A provider that is dead or
    stopped records nothing: there it is the attempts that were in its hands when it went, those that the proxy says it
    made and nobody recorded, and those that failed without any record while it was gone, if it had live traffic just
    before.
    """
    times = reading.faults[name]
    if not times.entered:
        return Touched(0, "it was never injected")
    if times.fault.leaves_records:
        return Touched(_marked(reading, times), "the providers' records")
    if all(one.target not in reading.provider_numbers for one in times.entered):
        count = _failed_in_force(reading, times)
        return Touched(count or None, "the requests that failed while it was in force")
    return _taken(reading, times)


def _marked(reading: Reading, times: FaultTimes) -> int:
    faults = reading.received.faults
    return int(np.count_nonzero(faults & faults.dtype.type(1 << times.number)))


def _taken(reading: Reading, times: FaultTimes) -> Touched:
    columns = reading.columns
    found = {how: np.zeros(len(columns), np.bool_) for how in _WORDS}
    live = False
    for one in times.entered:
        number = reading.provider_numbers.get(one.target)
        if number is None:
            continue
        found["records"][_in_its_hands(reading, one, number)] = True
        found["witness"][_unrecorded(reading, one, number)] = True
        if len(reading.traffic.live(number, one.injecting_ns - _LIVE_BEFORE_NS, one.injecting_ns)):
            live = True
            found["failures"] |= _lost_unseen(reading, one)
    count = int(np.count_nonzero(found["records"] | found["witness"] | found["failures"]))
    if not count and live and not reading.tells_attempts:
        return Touched(None, "live requests just before it, and none while it lasted; the proxy does not say more")
    return Touched(count, " and ".join(_WORDS[how] for how, met in found.items() if np.any(met)) or "no evidence")


def _in_its_hands(reading: Reading, one: Injected, provider: int) -> NDArray[np.integer[Any]]:
    held = reading.joined.held
    back = one.rolled_back_ns or one.gone_ns or reading.end_ns
    return held.request[held.in_hands(provider, one.injecting_ns, back)]


def _unrecorded(reading: Reading, one: Injected, provider: int) -> NDArray[np.int64]:
    """Requests of which the proxy says that it tried more than was recorded, while the fault was in force.

    When it names another provider for the only attempt that is missing, it was not this one.
    """
    unrecorded = reading.unrecorded
    meanwhile = _meanwhile(reading, one)[unrecorded.request]
    possible = ~unrecorded.named | (unrecorded.provider == provider) | (unrecorded.attempts > 1)
    found: NDArray[np.int64] = unrecorded.request[meanwhile & possible]
    return found


def _lost_unseen(reading: Reading, one: Injected) -> NDArray[np.bool_]:
    columns = reading.columns
    silent: NDArray[np.bool_] = columns.failed & (reading.received.timely == 0) & (columns.witness_attempts == 0)
    return silent & columns.sent & _meanwhile(reading, one)


def _meanwhile(reading: Reading, one: Injected) -> NDArray[np.bool_]:
    columns = reading.columns
    gone = one.gone_ns if one.gone_ns is not None else reading.end_ns
    found = np.zeros(len(columns), np.bool_)
    for place, part in columns.parts():
        found[place] = (part.finished_ns >= one.injecting_ns) & (part.started_ns < gone)
    return found


def _failed_in_force(reading: Reading, times: FaultTimes) -> int:
    failed = reading.columns.failed
    met = np.zeros(len(failed), dtype=np.bool_)
    for one in times.entered:
        met |= failed & _meanwhile(reading, one)
    return int(np.count_nonzero(met))
