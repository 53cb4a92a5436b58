"""Files that are whole or absent: atomic writes, JSON, fingerprints, and paths that stay inside their root."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from helpers.config import InputError

try:
    import fcntl
except ImportError:  # Windows, where what killed processes left behind stays
    fcntl = None

STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
TEMPORARY = re.compile(r"\..*\.partial-[0-9a-f]{16}(\..*)?")


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends without an error.

    A kill at any moment leaves either the old file or the new one. The temporary name keeps the suffix, because many
    writers choose the format by it. Parent folders are made. A device, a pipe or `/dev/stdout` is never replaced: it is
    opened, and the finished content copied into it. What killed processes left behind in the folder is removed. Raises
    InputError: the place cannot be written to.
    """
    with _place(path) as (target, temporary):
        yield temporary
        if target is not None:
            os.replace(temporary, target)
            return
        stream = STREAMS.get(str(path))
        with open(temporary, "rb") as source, open(path if stream is None else os.dup(stream), "wb") as opened:
            shutil.copyfileobj(source, opened)


def check_writable(path: Path) -> None:
    """Raise now the InputError that `atomic(path)` would raise after hours of work; nothing is left there."""
    with _place(path) as (target, _):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target is None and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with "\\n" line ends on every system; lone surrogates become escapes."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically: indented, keys in their order, non-ASCII as it is, no NaN."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_text(path: Path) -> str:
    """The UTF-8 text of a file; an InputError if there is none."""
    if not os.path.isfile(path):
        raise InputError(f"{path}: {'is not a file' if os.path.exists(path) else 'no such file'}")
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text; write it again or replace it"
    raise InputError(f"{path}: {reason}")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def read_json(path: Path) -> Any:
    """Read a JSON file; an InputError names the file and, if it can, line and column."""
    try:
        return json.loads(read_text(path), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        reason = "nested too deeply"
    except ValueError as error:
        reason = str(error).partition(";")[0]
    raise InputError(f"{path}: is not JSON ({reason}); write it again or replace it")


def inside(root: Path, relative: str | Path) -> Path:
    """A path from an input file, resolved; an InputError if it leaves `root` or can be no file's name."""
    root = Path(root).resolve()
    try:
        path = (root / relative).resolve()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            os.lstat(path)
    except (OSError, ValueError, RuntimeError) as error:  # too long, a loop of links; NUL and surrogates
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(relative)[:80]}: cannot be the name of a file ({reason})") from None
    if not path.is_relative_to(root):
        raise InputError(f"{relative}: points outside of {root}; use a path below that folder")
    return path


def file_fingerprint(path: Path) -> str:
    """Short hexadecimal digest of the content of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def fingerprint(items: Iterable[Any]) -> str:
    """Short hexadecimal digest of a sequence of values (by their `repr`), for 'which data was this'."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(repr(item).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _place(path: Path) -> Iterator[tuple[Path | None, Path]]:
    """The regular file to replace (None: `path` is something else, to be opened), and a new temporary one.

    The temporary file is removed in the end, and locked until then: so `_sweep` knows that somebody writes it.
    """
    path = Path(path)
    try:
        target = None if _is_open_in_place(path) else Path(os.path.realpath(path))  # a link stays, its file is replaced
        folder = Path(tempfile.gettempdir()) if target is None else target.parent
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(str(folder))
        temporary = folder / f".{path.stem[:40]}.partial-{secrets.token_hex(8)}{path.suffix}"
        with open(temporary, "xb") as file:
            try:
                if fcntl is None:
                    file.close()
                else:
                    with contextlib.suppress(OSError):  # not every network file system locks
                        fcntl.flock(file, fcntl.LOCK_EX)
                yield target, temporary
            finally:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None


def _is_open_in_place(path: Path) -> bool:
    """Whether a name stands for a device, a pipe, or a link of the system to an open file such as /dev/stdout."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            if os.path.abspath(path).startswith(("/dev/", "/proc/")):
                return True
            mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except ValueError:  # NUL, lone surrogates
        raise OSError(errno.EINVAL, "can be no file's name") from None
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@functools.cache
def _sweep(folder: str) -> None:
    """Remove the temporary files that nobody has locked any more; once a folder and process."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries if fcntl else ():
            if TEMPORARY.fullmatch(entry.name):
                with contextlib.suppress(OSError), open(entry.path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(entry.path)
