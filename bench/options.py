"""What the user chose."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How often and how long: rounds, seconds of each load, requests of the long run, requests of the analysis."""

    rounds: int
    seconds: float
    requests: int
    analysed: int
