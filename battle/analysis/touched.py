"""Which requests met a fault, and how that is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.fault_times import FaultTimes, Injected
from battle.analysis.reading import Reading, found_once
from battle.core.records import Outcome
from battle.core.units import NS_PER_S

_LIVE_BEFORE_NS = 2 * NS_PER_S


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
    arrivals = reading.joined.arrivals
    met = arrivals.keyed & ((arrivals.faults >> np.uint32(times.number)) & np.uint32(1)).astype(np.bool_)
    return len(np.unique(arrivals.request[met]))


def _taken(reading: Reading, times: FaultTimes) -> Touched:
    found: dict[str, set[int]] = {"records": set(), "witness": set(), "failures": set()}
    live = False
    for one in times.entered:
        number = reading.provider_numbers.get(one.target)
        if number is None:
            continue
        found["records"].update(_in_its_hands(reading, one, number).tolist())
        found["witness"].update(_unrecorded(reading, one, number).tolist())
        recent = reading.live.of(number)
        if np.any((recent >= one.injecting_ns - _LIVE_BEFORE_NS) & (recent < one.injecting_ns)):
            live = True
            found["failures"].update(_lost_unseen(reading, one).tolist())
    words = {
        "records": "the providers' records",
        "witness": "the proxy's witness",
        "failures": "failures without any record",
    }
    everything = set().union(*found.values())
    if not everything and live and not reading.tells_attempts:
        return Touched(None, "live requests just before it, and none while it lasted; the proxy does not say more")
    return Touched(len(everything), " and ".join(words[how] for how, keys in found.items() if keys) or "no evidence")


def _in_its_hands(reading: Reading, one: Injected, provider: int) -> NDArray[np.int64]:
    """Requests at the provider when it went, and not answered until it came back; late arrivals count too."""
    arrivals = reading.joined.arrivals
    back = one.rolled_back_ns or one.gone_ns or reading.end_ns
    here = arrivals.keyed & (arrivals.provider == provider)
    open_then = (arrivals.end_ns == 0) | (arrivals.end_ns >= one.injecting_ns)
    unanswered = (arrivals.answered_ns == 0) | (arrivals.answered_ns >= back)
    held = ~arrivals.late & (arrivals.arrived_ns < back) & open_then & unanswered
    woken = arrivals.late & (arrivals.arrived_ns >= one.injecting_ns) & (arrivals.arrived_ns < back + NS_PER_S)
    return np.unique(arrivals.request[here & (held | woken)])


def _unrecorded(reading: Reading, one: Injected, provider: int) -> NDArray[np.int64]:
    """Requests of which the proxy says that it tried more than was recorded, while the fault was in force.

    When it names another provider for the only attempt that is missing, it was not this one.
    """
    unrecorded = reading.unrecorded
    meanwhile = _meanwhile(reading, one)[unrecorded.request]
    possible = ~unrecorded.named | (unrecorded.provider == provider) | (unrecorded.attempts > 1)
    found: NDArray[np.int64] = unrecorded.request[meanwhile & possible]
    return found


def _lost_unseen(reading: Reading, one: Injected) -> NDArray[np.int64]:
    columns, joined = reading.columns, reading.joined
    silent = (columns.outcome == Outcome.FAILED) & (joined.timely == 0) & (columns.witness_attempts == 0)
    return np.flatnonzero(silent & columns.sent & _meanwhile(reading, one))


def _meanwhile(reading: Reading, one: Injected) -> NDArray[np.bool_]:
    columns = reading.columns
    gone = one.gone_ns if one.gone_ns is not None else reading.end_ns
    return (columns.finished_ns >= one.injecting_ns) & (columns.started_ns < gone)


def _failed_in_force(reading: Reading, times: FaultTimes) -> int:
    failed = reading.columns.outcome == Outcome.FAILED
    met = np.zeros(len(failed), dtype=np.bool_)
    for one in times.entered:
        met |= failed & _meanwhile(reading, one)
    return int(np.count_nonzero(met))
