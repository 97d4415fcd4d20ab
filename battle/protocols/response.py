"""Reading one HTTP/1.1 response, however it arrives: sans I/O, around llhttp.

Content-Length, chunked, delimited by the end of the connection, without a body (HEAD, 204, 304), interim responses
(1xx) before it, split at any byte. What comes behind its end in the same read is noticed, so that it is never taken
for the answer to the next request.
"""

import httptools

from battle.core.records import ErrorClass

HEAD_LIMIT_BYTES = 64 * 1024
"""The most that status line and headers may take."""
BODY_LIMIT_BYTES = 64 * 1024 * 1024
"""The most that a body may take where the request sets no `max_bytes`."""
_FINAL = 200
_BODILESS = frozenset({204, 304})


class _Enough(Exception):  # noqa: N818  (no error: it ends the parsing early)
    """Raised inside the parser when nothing of the response is to come any more."""


class Response:
    """One response being read. `complete` or `error` is set when it is over; after either, make a new one."""

    def __init__(self, *, without_body: bool = False, limit_bytes: int = BODY_LIMIT_BYTES) -> None:
        """`without_body`: the answer to a HEAD request."""
        self._parser = httptools.HttpResponseParser(self)
        self._without_body = without_body
        self._tail = b""
        self._limit = limit_bytes
        self._body: list[bytes] = []
        self._size = 0
        self._head_bytes = 0  # as read, interim responses included, until the head is whole
        self._headers_bytes = 0
        self._in_body = False
        self.headers: dict[bytes, bytes] = {}
        self.status = 0
        self.complete = False
        self.surplus = False
        """Bytes came behind its end: the connection is out of step and must be closed."""
        self.keep = False
        """Whether the connection may be used again."""
        self.framed = False
        """Whether the head alone says how long the body is."""
        self.error: ErrorClass | None = None

    @property
    def begun(self) -> bool:
        """Whether anything of it has arrived."""
        return self._head_bytes > 0

    @property
    def body(self) -> bytes:
        """The body so far."""
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    def feed(self, data: bytes) -> None:
        """Take what was read; nothing is raised: see `complete`, `surplus` and `error`."""
        if not self._in_body:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            if self.complete and not (self._tail + data).endswith(b"\r\n\r\n"):
                self.surplus = True
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if self.complete:
                self.surplus = True
            else:
                self.error = ErrorClass.INVALID
        if not self._in_body and self._head_bytes > HEAD_LIMIT_BYTES:
            self.error = ErrorClass.INVALID
        if self.surplus:
            self.keep = False
        if self._without_body:
            self._tail = (self._tail + data)[-3:]

    def end(self) -> bool:
        """The peer has sent all it will; gives whether that completes the response."""
        if self._in_body and self.error is None and not self.framed and b"transfer-encoding" not in self.headers:
            self.complete = True
            self.keep = False
        return self.complete

    def on_message_begin(self) -> None:
        """Another response behind the one that was awaited."""
        if self.complete:
            self.surplus = True
            raise _Enough

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, its name in lower case; of repeated ones the last."""
        self._headers_bytes += len(name) + len(value)
        if self._headers_bytes > HEAD_LIMIT_BYTES:
            self.error = ErrorClass.INVALID
            raise _Enough
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is here; that of an interim response is forgotten."""
        self.status = self._parser.get_status_code()
        if self.status < _FINAL:
            self.headers.clear()
            return
        self._in_body = True
        self.framed = b"content-length" in self.headers or self.status in _BODILESS
        if self._without_body:
            self.complete = True
            self.keep = self._parser.should_keep_alive()
            raise _Enough

    def on_body(self, data: bytes) -> None:
        """A piece of the body, chunks already taken apart."""
        self._size += len(data)
        if self._size > self._limit:
            self.error = ErrorClass.UNEXPECTED
            raise _Enough
        self._body.append(data)

    def on_message_complete(self) -> None:
        """It is whole, unless it was an interim one."""
        if self.status >= _FINAL:
            self.complete = True
            self.keep = self._parser.should_keep_alive()
