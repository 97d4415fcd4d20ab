"""Names of providers, streams, phases and faults, and the words they may not be."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

RESERVED = frozenset(
    {"during", "after", "before", "in", "where", "of", "for", "over", "baseline", "all", "proxy", "random", "none"}
)
PATTERN = r"[A-Za-z][A-Za-z0-9_-]*"


def check_name(name: str) -> str:
    """The name itself. Raises ValueError when it is not one, or is a word of the objective language."""
    if not re.fullmatch(PATTERN, name):
        raise ValueError(
            f"{name!r} is not a name; a name starts with a letter and goes on with letters, digits, _ or -"
        )
    if name in RESERVED:
        raise ValueError(f"{name!r} is a word of the language and cannot be a name")
    return name


Name = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(check_name)]
