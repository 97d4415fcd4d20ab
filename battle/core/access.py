"""How a stream is let in: whom it trusts over TLS, and how it says who it is."""

import re
from base64 import b64encode
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from battle.core.ports.part import Part

_VISIBLE = re.compile(r"[\x20-\x7e]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Tls(Part):
    """TLS to an https server. Without a `ca`, the authorities that the system trusts are trusted.

    `cert` and `key` are the client's own, in PEM; without a `key`, it stands in the file of the `cert`. `server_name`
    takes the place of the URL's host in the handshake and in the check of the certificate.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = Field(default=None, min_length=1)
    insecure: bool = False

    @model_validator(mode="after")
    def _check_pairs(self) -> "Tls":
        if self.key is not None and self.cert is None:
            raise ValueError("a `key` without its `cert` shows nobody anything")
        if self.insecure and self.ca is not None:
            raise ValueError("`insecure: true` checks no certificate, so that a `ca` would not be looked at")
        return self


class Basic(Part):
    """User and password, as RFC 7617 sends them."""

    user: str
    password: str

    @field_validator("user", "password")
    @classmethod
    def _check_text(cls, text: str) -> str:
        if _CONTROL.search(text):
            raise ValueError("user and password cannot hold line ends or other control characters")
        if "${" in text:
            raise ValueError("placeholders that are filled per request cannot stand here")
        return text

    @field_validator("user")
    @classmethod
    def _check_user(cls, text: str) -> str:
        if ":" in text:
            raise ValueError("a user's name cannot hold a colon: it ends there")
        return text


class Auth(Part):
    """Who the stream is: `basic` or `bearer`."""

    basic: Basic | None = None
    bearer: str | None = None

    @field_validator("bearer")
    @classmethod
    def _check_token(cls, text: str | None) -> str | None:
        if text is not None and not _VISIBLE.fullmatch(text):
            raise ValueError("a bearer token is visible ASCII text; is there a line end behind it?")
        return text

    @model_validator(mode="after")
    def _check_one(self) -> "Auth":
        if (self.basic is None) == (self.bearer is None):
            raise ValueError("write either `basic: {user: …, password: …}` or `bearer: …`")
        return self

    @property
    def header(self) -> str:
        """The value of the authorization header."""
        if self.basic is None:
            return f"Bearer {self.bearer}"
        return f"Basic {b64encode(f'{self.basic.user}:{self.basic.password}'.encode()).decode()}"
