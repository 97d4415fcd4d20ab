"""Options that several commands share."""

from battle.errors import UsageError


def parse_sets(sets: list[str]) -> dict[str, str]:
    """The overrides that `--set k=v` give. Raises UsageError."""
    found = {}
    for text in sets:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {text!r} is not of the form name=value", hint="for example --set rate=500/s")
        found[name] = value
    return found
