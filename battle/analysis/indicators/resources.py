"""What the proxy's processes used."""

from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection
from battle.analysis.samples import cpu_share, samples_of
from battle.core.objective import Unit

_NONE = Measurement(None, 0, "the proxy's processes were not watched in this window")


def _peak(reading: Reading, selection: Selection, name: str) -> Measurement:
    values = [one.values[name] for one in samples_of(reading.evidence, "proxy", selection.window) if name in one.values]
    return Measurement(float(max(values)), len(values)) if values else _NONE


def _memory(reading: Reading, selection: Selection) -> Measurement:
    return _peak(reading, selection, "rss_bytes")


def _open_files(reading: Reading, selection: Selection) -> Measurement:
    return _peak(reading, selection, "open_files")


def _cpu(reading: Reading, selection: Selection) -> Measurement:
    samples = samples_of(reading.evidence, "proxy", selection.window)
    share = cpu_share(samples)
    return _NONE if share is None else Measurement(share, len(samples))


enter(Indicator("proxy.memory_max", Unit.SIZE, "lower", "run", "the most memory its processes held", _memory))
enter(Indicator("proxy.cpu", Unit.SHARE, "lower", "run", "mean use of processors, as a share of one core", _cpu))
enter(Indicator("proxy.open_files", Unit.NUMBER, "lower", "run", "the most files its processes had open", _open_files))
