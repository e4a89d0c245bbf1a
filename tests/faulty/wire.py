"""HTTP/1.1 on bare asyncio streams, so that an answer can be broken on purpose.

Knows framing and nothing of what the bytes mean: what to answer is the business of the function given to ``Listener``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 8 * 1024 * 1024

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One request as it came: header names as sent, body without its transfer coding."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    chunked: bool = False

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    def header(self, name: str) -> str | None:
        """The first value of a header by its case-insensitive name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True)
class Answer:
    """One answer together with the ways in which its delivery may go wrong.

    ``coded`` tells that the body is final and must not be compressed any more. ``declared`` replaces the true
    Content-Length, ``sent`` cuts the framed body after so many bytes; ``raw`` replaces everything, ``reset`` drops the
    connection instead of answering.
    """

    status: int
    headers: Headers
    body: bytes
    framing: Literal["auto", "length", "chunked", "close"] = "auto"
    coded: bool = False
    declared: int | None = None
    sent: int | None = None
    raw: bytes | None = None
    reset: bool = False

    def with_header(self, name: str, value: str | None) -> Answer:
        """The same answer with a header replaced, or removed when the value is None."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))

    @property
    def breaks_connection(self) -> bool:
        broken = self.declared is not None or self.sent is not None or self.raw is not None
        return broken or self.reset or self.framing == "close"


class BadRequestError(Exception):
    """The bytes are not an HTTP/1.1 request; carries the status to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(HTTPStatus(status).phrase)
        self.status = status


def parse_head(head: bytes) -> Request:
    """Request line and headers. Raises BadRequestError."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError(400)
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequestError(400)
        headers.append((name, value.strip()))
    return Request(words[0], words[1], tuple(headers))


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    """A chunked body with its trailers dropped. Raises BadRequestError."""
    body = bytearray()
    while True:
        line = (await reader.readuntil(b"\r\n")).split(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise BadRequestError(400) from None
        if size == 0:
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
            return bytes(body)
        if len(body) + size > BODY_LIMIT:
            raise BadRequestError(413)
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise BadRequestError(400)


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request of a connection, None when the client is gone. Raises BadRequestError."""
    try:
        request = parse_head(await reader.readuntil(b"\r\n\r\n"))
        if (request.header("expect") or "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in (request.header("transfer-encoding") or "").lower():
            return replace(request, body=await read_chunks(reader), chunked=True)
        length = request.header("content-length") or "0"
        if not (length.isascii() and length.isdigit()):
            raise BadRequestError(400)
        if int(length) > BODY_LIMIT:
            raise BadRequestError(413)
        return replace(request, body=await reader.readexactly(int(length)))
    except asyncio.LimitOverrunError:
        raise BadRequestError(431) from None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def chunks(body: bytes, size: int = 48) -> bytes:
    """A body in chunked transfer coding, small chunks so that characters and tokens are split."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def serialise(answer: Answer, *, head_only: bool, close: bool) -> bytes:
    """The bytes of an answer on the wire, with every asked-for defect in them."""
    if answer.raw is not None:
        return answer.raw
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}"] + [f"{name}: {value}" for name, value in answer.headers]
    payload = answer.body
    if answer.framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        payload = chunks(payload)
    elif answer.framing != "close" and (answer.status != 204 or payload):
        lines.append(f"Content-Length: {len(payload) if answer.declared is None else answer.declared}")
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if head_only else head + payload[: answer.sent]


class Listener:
    """Serves connections: reads requests, asks ``respond`` for each answer, writes it."""

    def __init__(self, respond: Callable[[Request], Answer], refuse: Callable[[int], Answer], *, close: bool) -> None:
        self._respond = respond
        self._refuse = refuse
        self._close = close
        self._tasks: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Callback of ``asyncio.start_server``."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            while await self._turn(reader, writer):
                pass
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; tells whether the connection lives on."""
        try:
            request = await read_request(reader, writer)
        except BadRequestError as problem:
            writer.write(serialise(self._refuse(problem.status), head_only=False, close=True))
            await writer.drain()
            return False
        if request is None:
            return False
        answer = self._respond(request)
        if answer.reset:
            connection = writer.get_extra_info("socket")
            # Linger 0 makes the close an RST, as a crashed or overloaded proxy does it.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        asked = (request.header("connection") or "").lower() == "close"
        close = asked or self._close or answer.breaks_connection
        writer.write(serialise(answer, head_only=request.method == "HEAD", close=close))
        await writer.drain()
        return not close

    async def stop(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
