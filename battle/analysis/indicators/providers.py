"""How the requests were spread over the providers."""

from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.narrow import counted
from battle.analysis.reading import Reading, Selection
from battle.analysis.statistics import jain
from battle.core.objective import Unit

_NOBODY = Measurement(None, 0, "no request in this window has a known server")


def served_counts(reading: Reading, selection: Selection) -> list[int]:
    """How many requests of the selection each provider served, in the order of the scenario."""
    serving = reading.joined.serving[reading.mask(selection)]
    counts: list[int] = counted(serving[serving >= 0])[: len(reading.provider_numbers)].tolist()
    return counts


def _share(reading: Reading, selection: Selection) -> Measurement:
    """The share of the provider that `where provider=` names, else of the one that served most."""
    counts = served_counts(reading, selection.without("provider"))
    if not sum(counts):
        return _NOBODY
    named = dict(selection.where).get("provider")
    if named is not None and named not in reading.provider_numbers:
        return Measurement(None, 0, f"there is no provider {named!r}")
    own = max(counts) if named is None else counts[reading.provider_numbers[named]]
    return Measurement(own / sum(counts), sum(counts))


def _balance(reading: Reading, selection: Selection) -> Measurement:
    counts = served_counts(reading, selection.without("provider"))
    index = jain(counts)
    return _NOBODY if index is None else Measurement(index, sum(counts))


enter(
    Indicator(
        "provider_share",
        Unit.SHARE,
        "neither",
        "requests",
        "share of the requests that a provider served (`where provider=`), else the largest share",
        _share,
        needs_attribution=True,
    )
)
enter(
    Indicator(
        "balance",
        Unit.SHARE,
        "higher",
        "requests",
        "Jain's index of the requests served by each provider: 1 is even, 1/n is all at one",
        _balance,
        needs_attribution=True,
    )
)
