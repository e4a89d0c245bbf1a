"""Bodies that an archive keeps in files of their own, as Playwright does: beside it in a folder, or with it in a zip.

Names come from the archive and are not trusted: nothing outside the folder is read.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from mockserver.errors import RecordError

Attachments = Callable[[str], bytes | None]
"""The bytes of a file by its name in the archive; None where there is none that may be read."""

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of one body that are read, unpacked."""

ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of a zip; the second of one that holds nothing."""


_BROKEN: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError, ValueError)
"""What zipfile raises of a damaged file, or one packed in a way that it does not know."""


def nowhere(_: str) -> None:
    """An archive without a place on disk has no files beside it."""


def beside(folder: Path) -> Attachments:
    """Files in a folder and below it."""

    def read(name: str) -> bytes | None:
        try:
            file = (folder / name).resolve()
            if not file.is_relative_to(folder.resolve()) or not file.is_file() or file.stat().st_size > LARGEST:
                return None
            return file.read_bytes()
        except (OSError, ValueError):  # such as a name that no file can have
            return None

    return read


@contextmanager
def unzipped(stream: BinaryIO, name: str) -> Iterator[tuple[BinaryIO, Attachments]]:
    """The one archive in a zip, to be read, and what lies beside it there; ``name`` is the file's, for messages.

    Raises RecordError where it cannot be read.
    """
    if not stream.seekable():
        raise RecordError(f"{name} is a zip, which cannot be read from a pipe; name the file, or unpack it")
    try:
        with zipfile.ZipFile(stream) as packed:
            archives = [member for member in packed.namelist() if member.lower().endswith(".har")]
            if len(archives) != 1:
                raise RecordError(f"{name}: a zip with one .har in it is expected; it has {len(archives)}")
            with packed.open(archives[0]) as archive:
                yield cast(BinaryIO, archive), lambda member: _member(packed, member)
    except _BROKEN as error:
        raise RecordError(f"{name}: the zip cannot be read: {error}") from None


def _member(packed: zipfile.ZipFile, name: str) -> bytes | None:
    try:
        found = packed.getinfo(name)
    except KeyError:
        return None
    if found.file_size > LARGEST:
        return None
    file: IO[bytes]
    with packed.open(found) as file:
        return file.read(LARGEST)
