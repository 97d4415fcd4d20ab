"""What to do about a late generator, from what it used meanwhile."""

from battle.analysis.reading import Reading, Selection
from battle.analysis.samples import cpu_share, samples_of
from battle.core.journal import EventKind

_BUSY = 0.85
"""From this share of a core on, what kept the generator was its own work."""


def what_to_do(reading: Reading, selection: Selection) -> str:
    """What was seen of the generator's CPU in the window, and what to do, as the end of a sentence."""
    share = busiest_share(reading, selection)
    if share is None:
        return "send fewer requests per second, share them out with --workers, or use another machine"
    if share >= _BUSY:
        return f"its CPU was at {share:.0%} of a core: send fewer requests per second, or share them out with --workers"
    return (
        f"its CPU was only at {share:.0%} of a core: the machine was busy with something else; end that, or use another"
    )


def busiest_share(reading: Reading, selection: Selection) -> float | None:
    """Processor seconds a second of the busiest worker: in the window, or over the whole load where that is unknown.

    1.0 is one core, which is all that a worker can use.
    """
    samples, workers = samples_of(reading.evidence, "generator", selection.window), reading.evidence.workers
    each = [cpu_share(samples, worker) for worker in range(workers)] if workers > 1 else [cpu_share(samples)]
    told = [event.fields.get("cpu_share") for event in reading.evidence.of_kind(EventKind.GENERATOR)]
    within = [share for share in each if share is not None]
    return max(within or [share for share in told if share is not None], default=None)
