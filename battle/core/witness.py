"""What a proxy says of an answer: which provider served it, and how many attempts it took.

Pure: headers in, testimony out. A proxy adapter gives the Witness; the load engine applies it to each answer.
"""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from battle.core.records import NO_PROVIDER


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one answer's headers say. Provider indexes, NO_PROVIDER when not said; attempts 0 when not said."""

    provider: int = NO_PROVIDER
    attempts: int = 0
    first: int = NO_PROVIDER


NOTHING_SAID = Testimony()


@dataclass(frozen=True, slots=True)
class Witness:
    """Where to look in the headers of an answer. Header names are compared in lower case.

    `provider_header` holds the provider's address, or, when `separator` is set, the addresses of all that were tried,
    the serving one last (nginx's $upstream_addr). `attempts_header` holds the number of attempts, to which
    `attempts_plus` is added (HAProxy counts retries). `pattern` picks the address out of a longer value (its group 1).
    `providers` maps an address or a name to the provider's index. Answers with a status in `untrusted_status` do not
    name who served (Envoy's 503 names a host that did not).
    """

    provider_header: str
    providers: dict[str, int]
    attempts_header: str | None = None
    attempts_plus: int = 0
    separator: str | None = None
    pattern: str | None = None
    untrusted_status: tuple[int, ...] = ()
    header_names: frozenset[bytes] = field(init=False)

    def __post_init__(self) -> None:
        names = {self.provider_header, self.attempts_header or self.provider_header}
        object.__setattr__(self, "header_names", frozenset(name.lower().encode() for name in names))

    def read(self, headers: dict[bytes, bytes], status: int) -> Testimony:
        """The testimony of an answer with these headers (names in lower case)."""
        said = headers.get(self.provider_header.lower().encode(), b"").decode("latin-1")
        tried = [self._index(part) for part in self._parts(said)]
        attempts = len(tried) if self.separator else 0
        if self.attempts_header:
            number = headers.get(self.attempts_header.lower().encode(), b"")
            digits = re.search(rb"\d+", number)
            attempts = int(digits[0]) + self.attempts_plus if digits else attempts
        trusted = tried and status not in self.untrusted_status
        first = tried[0] if self.separator and tried else NO_PROVIDER
        return Testimony(tried[-1] if trusted else NO_PROVIDER, min(attempts, 255), first)

    def _parts(self, said: str) -> list[str]:
        parts = said.split(self.separator) if self.separator else [said]
        return [part.strip() for part in parts if part.strip()]

    def _index(self, said: str) -> int:
        if self.pattern:
            found = re.search(self.pattern, said)
            said = found[1] if found else said
        return self.providers.get(said, NO_PROVIDER)

    def to_message(self) -> dict[str, Any]:
        """The witness as JSON-ready data, for the worker process."""
        message = asdict(self)
        del message["header_names"]
        return message

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> "Witness":
        """The witness from what `to_message` made."""
        return cls(**{**message, "untrusted_status": tuple(message["untrusted_status"])})
