"""Events in a few words, for the live view and for logs."""

from battle.core.journal import Event, EventKind

_WORDS = {
    EventKind.FAULT_INJECTING: "{fault} on {target}: injecting",
    EventKind.FAULT_EFFECTIVE: "{fault} on {target}: in force ({detail})",
    EventKind.FAULT_UNVERIFIED: "{fault} on {target}: not seen to take effect ({why})",
    EventKind.FAULT_FAILED: "{fault} on {target}: could not be injected ({why})",
    EventKind.FAULT_ROLLING_BACK: "{fault} on {target}: rolling back",
    EventKind.FAULT_CLEARED: "{fault} on {target}: cleared ({detail})",
    EventKind.FAULT_NOT_CLEARED: "{fault} on {target}: not seen to end ({why})",
    EventKind.FAULT_SKIPPED: "{fault} was skipped: {why}",
    EventKind.PROVIDER_ENDED: "{provider} ended on its own (status {status})",
    EventKind.PROXY_ENDED: "the proxy ended on its own (status {status})",
    EventKind.BREAKER: "breaker of {provider}: {state} ({source})",
    EventKind.GUARD_BROKEN: "guard broken: {objective}",
    EventKind.INTERRUPTED: "{signal}: rolling back, then ending",
    EventKind.WARNING: "{text}",
    EventKind.LOAD_STARTED: "load started",
    EventKind.LOAD_ENDED: "load ended ({reason})",
}


def in_words(event: Event) -> str | None:
    """One line on an event; None for those that are nothing to tell."""
    if event.kind not in _WORDS or event.fields.get("planned") is True:
        return None
    return _WORDS[event.kind].format(**{"detail": "", "why": "", "status": "unknown", **event.fields})
