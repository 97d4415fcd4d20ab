"""TLS contexts of clients, from the settings of a stream."""

import ssl
from pathlib import Path

from battle.core.access import Tls
from battle.errors import SetupError


def client_context(tls: Tls | None = None) -> ssl.SSLContext:
    """A context that offers HTTP/1.1. Raises SetupError naming the file that cannot be used."""
    tls = tls or Tls()
    context = _trusting(tls.ca)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert is not None:
        _show(context, tls.cert, tls.key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trusting(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # an SSLError is one
        raise SetupError(f"{ca} holds no certificate that can be read", hint="a `ca` is a file in PEM") from error


def _show(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    encrypted = False

    def password() -> bytes:  # without it OpenSSL would ask on the terminal
        nonlocal encrypted
        encrypted = True
        return b""

    try:
        context.load_cert_chain(cert, key, password)
    except OSError as error:
        if encrypted:
            said, hint = f"the key in {key or cert} is encrypted", "decrypt it: openssl pkey -in KEY -out PLAIN"
            raise SetupError(said, hint=hint) from error
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise SetupError(f"{key or cert} is not the key of {cert}") from error
        said = f"{cert} is no certificate with a key that can be read" if key is None else f"{cert} or {key} is no PEM"
        raise SetupError(said, hint="`cert` is a certificate in PEM, `key` its private key") from error
