"""What the proxy did about a fault: when it turned away from the provider, and when it came back."""

from battle.analysis.fault_times import FaultTimes
from battle.analysis.indicator import NEVER, Measurement
from battle.analysis.reading import Reading, found_once

_EXPECTED = 10
_RECORDS = "the providers' records"
_RECORDS_AND_WITNESS = "the providers' records and the proxy's witness"


@found_once
def detection(reading: Reading, name: str) -> tuple[Measurement, str | None]:
    """Detection time: d − t₀ in ns, of the slowest target, and where it is known from.

    d is the first instant from the onset t₀ on after which the provider is turned away from (Traffic.quiet_from), or
    its breaker's first opening by the proxy's own word, when that is earlier. NEVER when neither came before t₁.
    """
    found = [_detection_at(reading, reading.faults[name], target) for target in _providers(reading, name)]
    return _slowest([measurement for measurement, _ in found]), next((source for _, source in found if source), None)


@found_once
def return_time(reading: Reading, name: str) -> Measurement:
    """Return time: first live request at the provider after t₁ − t₁ in ns, of the slowest target.

    NEVER when at least 10 requests were to be expected there until the end of the load, and none came.
    """
    return _slowest([_return_at(reading, reading.faults[name], target) for target in _providers(reading, name)])


def _providers(reading: Reading, name: str) -> list[str]:
    return [target for target in reading.faults[name].targets if target in reading.provider_numbers]


def _slowest(found: list[Measurement]) -> Measurement:
    if not found:
        return Measurement(None, 0, "it has no provider as its target")
    if unknown := [one for one in found if one.value is None]:
        return unknown[0]
    samples = sum(one.samples for one in found)
    times = [one.value for one in found if isinstance(one.value, float)]
    return Measurement(max(times) if len(times) == len(found) else NEVER, samples)


def _detection_at(reading: Reading, times: FaultTimes, target: str) -> tuple[Measurement, str | None]:
    onset = times.effective_ns
    if onset is None or times.injected_ns is None:
        return Measurement(None, 0, f"{times.name} was not seen to take effect"), None
    over = times.cleared_ns if times.cleared_ns is not None else reading.end_ns
    opened = _word(reading, target, times.injecting_ns or onset, over)
    quiet, why_not = _quiet(reading, times, target, onset, over)
    if opened is not None and (quiet is None or opened <= quiet):
        return Measurement(float(max(0, opened - onset)), 1), reading.breakers.source
    if quiet is not None:
        return Measurement(float(quiet - onset), 1), _RECORDS_AND_WITNESS if reading.tells_attempts else _RECORDS
    return (Measurement(None, 0, why_not) if why_not else Measurement(NEVER, 1)), None


def _word(reading: Reading, target: str, from_ns: int, to_ns: int) -> int | None:
    if reading.breakers_inferred:
        return None
    return next((at for at in reading.breakers.of(target, "open") if from_ns <= at < to_ns), None)


def _quiet(reading: Reading, times: FaultTimes, target: str, onset: int, over: int) -> tuple[int | None, str | None]:
    """When the traffic turned away; else why that cannot be known, or neither when it did not."""
    share = baseline_share(reading, target)
    if not share:
        return None, f"{target} got no requests before the first fault"
    if not times.fault.leaves_records and not reading.tells_attempts:
        return None, f"{target} records nothing meanwhile, and the proxy does not say where it tried"
    if not times.fault.leaves_records and not reading.names_first and _others_silent(reading, target, onset, over):
        return None, "several providers recorded nothing at once, and the proxy does not say which of them it tried"
    return reading.traffic.quiet_from(reading.provider_numbers[target], share, onset, over), None


def _others_silent(reading: Reading, target: str, onset: int, over: int) -> bool:
    own = reading.provider_numbers[target]
    return any(number != own and start < over and stop > onset for number, start, stop in reading.blind.spans)


def _return_at(reading: Reading, times: FaultTimes, target: str) -> Measurement:
    cleared = times.cleared_ns
    if cleared is None:
        return Measurement(None, 0, f"{times.name} has not cleared")
    after = reading.traffic.live(reading.provider_numbers[target], cleared)
    if len(after):
        return Measurement(float(int(after[0]) - cleared), 1)
    share = baseline_share(reading, target)
    expected = (share or 0) * int((reading.traffic.at_ns >= cleared).sum())
    if expected >= _EXPECTED:
        return Measurement(NEVER, 1)
    return Measurement(None, 0, f"too few requests came after {times.name} to expect one at {target}")


def baseline_share(reading: Reading, target: str) -> float | None:
    """The provider's share of the attempts in the baseline."""
    spans = reading.windows.baseline().spans
    return reading.traffic.share(reading.provider_numbers[target], *spans[0]) if spans else None
