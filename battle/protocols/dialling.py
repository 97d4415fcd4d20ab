"""Opening connections: TCP over IPv4 and IPv6, Unix sockets, and TLS on top. Errors are named here, at the edge.

A name is resolved when the first connection is opened, and its addresses are kept for the session, as wrk and k6 do: a
load test must not measure the resolver. The address that answered last is tried first. What could not be resolved is
looked up again by the next connection.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address

from battle.core.access import Tls
from battle.core.ports.wire import Endpoint
from battle.core.records import ErrorClass
from battle.system.pacing import do_not_pace
from battle.system.trust import client_context

ProtocolFactory = Callable[[], asyncio.Protocol]


class DialError(Exception):
    """No connection came about; `error` is the class that the call fails with."""

    def __init__(self, error: ErrorClass) -> None:
        super().__init__(error.label)
        self.error = error


class Dialler:
    """Opens the connections of one session. Raises SetupError when the files of `tls` cannot be used."""

    def __init__(self, endpoint: Endpoint, tls: Tls | None = None) -> None:
        self._endpoint = endpoint
        self._context = client_context(tls) if endpoint.secure else None
        self._server_name = (tls.server_name if tls else None) or endpoint.host
        self._addresses = [endpoint.host] if _is_address(endpoint.host) else []

    async def dial(self, factory: ProtocolFactory) -> None:
        """Open a connection and give it to the protocol that `factory` makes. Raises DialError."""
        try:
            if self._endpoint.socket:
                await asyncio.get_running_loop().create_unix_connection(factory, self._endpoint.socket)
            else:
                await self._dial_tcp(factory)
        except (OSError, UnicodeError) as error:
            raise DialError(_class_of(error, secure=self._endpoint.secure)) from error

    async def _dial_tcp(self, factory: ProtocolFactory) -> None:
        loop, port = asyncio.get_running_loop(), self._endpoint.port
        if not self._addresses:
            found = await loop.getaddrinfo(self._endpoint.host, port, type=socket.SOCK_STREAM)
            self._addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        name = self._server_name if self._context else None
        addresses = self._addresses
        for address in addresses:
            try:
                transport, _ = await loop.create_connection(
                    factory, address, port, ssl=self._context, server_hostname=name
                )
            except ssl.SSLError:
                raise
            except OSError:
                if address == addresses[-1]:
                    raise
            else:
                if ip_address(address).is_loopback:
                    do_not_pace(transport.get_extra_info("socket"))
                if address != self._addresses[0]:
                    self._addresses = [address, *(other for other in addresses if other != address)]
                return


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _class_of(error: Exception, *, secure: bool) -> ErrorClass:
    match error:
        case socket.gaierror() | UnicodeError():
            return ErrorClass.DNS
        case ssl.SSLError():
            return ErrorClass.TLS
        case TimeoutError():
            return ErrorClass.TIMEOUT
        case ConnectionResetError() | ConnectionAbortedError():
            return ErrorClass.TLS if secure else ErrorClass.RESET  # a handshake that was broken off
        case _:
            return ErrorClass.CONNECT


def error_of_loss(error: Exception | None) -> ErrorClass:
    """The class of a call whose connection was lost, from what `connection_lost` is given.

    With TLS 1.3 a server refuses a client's certificate after the handshake: the loss tells of it, not the dial.
    """
    if isinstance(error, ssl.SSLError):
        return ErrorClass.TLS
    return ErrorClass.RESET if isinstance(error, OSError) else ErrorClass.CLOSED
