"""How many attempts reached the providers for each request that was sent."""

import numpy as np

from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection
from battle.core.objective import Unit
from battle.core.units import NS_PER_S


def _unknown(reading: Reading) -> str | None:
    silent = [
        name for name, keeps in zip(reading.provider_numbers, reading.keeps_records.tolist(), strict=True) if not keeps
    ]
    if silent:
        return f"{', '.join(silent)} keeps no records, so not all attempts are known"
    return None if reading.provider_numbers else "there are no providers of which anything is known"


def _amplification(reading: Reading, selection: Selection) -> Measurement:
    """Amplification: keyed arrivals at providers ÷ requests sent."""
    if why := _unknown(reading):
        return Measurement(None, 0, why)
    sent = reading.mask(selection) & reading.columns.sent
    total = int(np.count_nonzero(sent))
    if not total:
        return Measurement(None, 0, "no requests were sent in this window")
    return Measurement(int(reading.received.keyed[sent].sum(dtype=np.int64)) / total, total)


def _peak(reading: Reading, selection: Selection) -> Measurement:
    """The same for the second of the run, counted from t0, in which it was highest."""
    if why := _unknown(reading):
        return Measurement(None, 0, why)
    sent = reading.mask(selection) & reading.columns.sent
    total = int(np.count_nonzero(sent))
    if not total:
        return Measurement(None, 0, "no requests were sent in this window")
    seconds = (reading.end_ns - reading.t0_ns) // NS_PER_S + 1
    requests, attempts = np.zeros(seconds, np.int64), np.zeros(seconds)
    for place, part in reading.columns.parts():
        second = (part.scheduled_ns[sent[place]] - reading.t0_ns) // NS_PER_S
        requests += np.bincount(second, minlength=seconds)
        attempts += np.bincount(second, reading.received.keyed[place][sent[place]], minlength=seconds)
    busy = requests > 0
    return Measurement(float((attempts[busy] / requests[busy]).max()), total)


enter(
    Indicator(
        "amplification",
        Unit.NUMBER,
        "lower",
        "requests",
        "attempts that reached providers ÷ requests sent",
        _amplification,
        needs_records=True,
    )
)
enter(
    Indicator(
        "amplification.peak",
        Unit.NUMBER,
        "lower",
        "requests",
        "amplification of the second in which it was highest",
        _peak,
        needs_records=True,
    )
)
