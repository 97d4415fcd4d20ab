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


def parse_size(option: str, text: str) -> int | None:
    """The bytes of a size, None for "none". Raises UsageError."""
    from battle.core.units import parse_size_bytes  # noqa: PLC0415  (heavy: not for --help)

    if text == "none":
        return None
    try:
        return parse_size_bytes(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", hint=f"for example {option} 500MB, or {option} none") from error
