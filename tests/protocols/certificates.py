"""Authorities and certificates that last for one test run."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """An authority, and what it has signed, as files."""

    directory: Path

    @cached_property
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @property
    def ca(self) -> Path:
        path = self.directory / "ca.pem"
        self.authority.cert_pem.write_to_path(path)
        return path

    def pair(self, name: str, *, expired: bool = False) -> tuple[Path, Path]:
        """A certificate and its key, for a host or for a client."""
        ended = datetime.now(UTC) - timedelta(days=1)
        begun = ended - timedelta(days=30)
        when = {"not_before": begun, "not_after": ended} if expired else {}
        issued = self.authority.issue_cert(name, **when)
        cert, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
        return cert, key

    def server(self, name: str = "127.0.0.1", *, expired: bool = False, asks: bool = False) -> ssl.SSLContext:
        """What a server shows, and whether it asks for the client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair(name, expired=expired))
        context.set_alpn_protocols(["h2", "http/1.1"])
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context
