"""How the evidence was obtained, and what it cannot show, in sentences."""

from collections.abc import Iterator

from battle.core.run import Run
from battle.reporters import wording as say

PROVED_AND_WITNESSED = (
    "Proved: the request stands in the records of two providers, and its first attempt had ended or been abandoned "
    "when the second came. Witnessed: the proxy says that it tried elsewhere first, and the provider it names last did "
    "record the request. A refused connection leaves no record, so it can be witnessed but not proved."
)
NOT_MEASURED = "Not measured."
_SOURCES = {
    "id": "the JSON-RPC id",
    "header": "the trace header",
    "param": "a call parameter",
    "witness": "the proxy's word",
    "none": "nothing",
}


def sentences(run: Run) -> Iterator[str]:
    """What stands behind the numbers."""
    yield from _attribution(run)
    yield PROVED_AND_WITNESSED
    yield (
        "Response times count from the instant a request was due, not from when it was sent, so that waiting cannot "
        "hide (coordinated omission). Instants are seconds from t0, the end of the warm-up"
        f"{_warmup(run)}. A fault counts only when a probe saw its effect on the data path. “–” means not measured."  # noqa: RUF001  (say.UNKNOWN)
    )


def _warmup(run: Run) -> str:
    warmup = run.analysis.requests.warmup_total
    return f" ({say.plural(warmup, 'earlier request')} outside every number)" if warmup else ""


def _attribution(run: Run) -> Iterator[str]:
    found = run.analysis.failover.attribution
    if found.joined is None:
        yield "Requests were not joined to providers: which provider served which request was not measured."
    else:
        by = ", ".join(f"{_SOURCES.get(how, how)} {n:,}" for how, n in found.by.items() if n)
        yield (
            f"The serving provider is known for {say.share(found.joined)} of the requests answered ok"
            + (f" (joined by {by})." if by else ".")
        )
    silent = [provider.name for provider in run.analysis.providers if provider.attempts is None]
    if silent:
        yield f"Without records: {say.one_line(', '.join(silent))}; what reached them is not known."
    if found.answered_by_proxy:
        yield f"The proxy answered {say.plural(found.answered_by_proxy, 'request')} by itself."
    if found.attempts_without_key:
        yield f"{say.plural(found.attempts_without_key, 'arrival')} at providers carried no key of this run."
    if found.disagreements:
        yield (
            f"The proxy's word and the providers' records disagree on {say.plural(found.disagreements, 'request')}; "
            "the records were believed."
        )
    source = run.analysis.circuit_breaker.source
    if source:
        yield f"Breaker transitions come from: {say.one_line(source)}."
