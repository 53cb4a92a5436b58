"""Files that are whole or absent: atomic writes, JSON, fingerprints, and paths that stay inside their root."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from helpers.config import InputError

STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
TEMPORARY = re.compile(r"\..*\.(?P<pid>\d{1,9})-(?P<started>\d*)-(?P<machine>[0-9a-f]{8})-[0-9a-f]{8}(\..*)?")


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends without an error.

    A kill at any moment leaves either the old file or the new one. The temporary name keeps the suffix, because
    many writers choose the format by it. Parent folders are made. A device, a pipe or `/dev/stdout` is never
    replaced: it is opened, and the finished content copied into it. What killed processes left behind in the folder
    is removed.

    Raises:
        InputError: the place cannot be written to.
    """
    try:
        target, temporary = _places(path)
        try:
            yield temporary
            if target is None:
                _copy_into(path, temporary)
            else:
                os.replace(temporary, target)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def check_writable(path: Path) -> None:
    """Find out now that `atomic(path)` would fail after hours of work: a temporary file is written and removed.

    Raises:
        InputError: the place cannot be written to.
    """
    try:
        target, temporary = _places(path)
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target is None and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        temporary.touch()
        temporary.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with "\\n" line ends on every system; lone surrogates become escapes."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically: indented, keys in their order, non-ASCII as it is, no NaN."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing, cannot be read or is not JSON; names the file and, if it can, line and column.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: {'is not a file' if os.path.exists(path) else 'no such file'}")
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError:
        reason = "not UTF-8 text"
    except RecursionError:
        reason = "nested too deeply"
    except ValueError as error:
        reason = str(error).partition(";")[0]
    raise InputError(f"{path}: is not JSON ({reason}); write it again or replace it")


def inside(root: Path, relative: str | Path) -> Path:
    """Resolve a path that came from an input file, which must stay below `root`.

    Raises:
        InputError: the path is absolute, climbs out of the root, or can be no file's name.
    """
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


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({error.strerror or error}); choose another place")


def _places(path: Path) -> tuple[Path | None, Path]:
    """The regular file to replace (None: `path` is something else, to be opened) and the temporary one."""
    path = Path(path)
    try:
        if _is_open_in_place(path):
            return None, _temporary(Path(tempfile.gettempdir()), path)
    except ValueError:  # NUL, lone surrogates
        raise OSError(errno.EINVAL, "can be no file's name") from None
    target = Path(os.path.realpath(path))  # a link stays, the file behind it is replaced
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(str(target.parent))
    return target, _temporary(target.parent, path)


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
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _copy_into(path: Path, temporary: Path) -> None:
    stream = STREAMS.get(str(path))
    with open(temporary, "rb") as source, open(path if stream is None else os.dup(stream), "wb") as target:
        shutil.copyfileobj(source, target)


def _temporary(folder: Path, path: Path) -> Path:
    """A hidden name that tells which process of which machine writes it."""
    owner = f"{os.getpid()}-{_started(os.getpid())}-{_machine()}-{secrets.token_hex(4)}"
    return folder / f".{path.stem[:40]}.{owner}{path.suffix}"


@functools.cache
def _sweep(folder: str) -> None:
    """Remove the temporary files of processes of this machine that are no more; once a folder and process."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            owner = TEMPORARY.fullmatch(entry.name)
            if owner and owner["machine"] == _machine() and not _alive(int(owner["pid"]), owner["started"]):
                os.unlink(entry.path)


@functools.cache
def _machine() -> str:
    """Short digest of the host and, in containers, of the space in which process numbers are unique."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]


def _started(pid: int) -> str:
    """When a process was started, in ticks since boot; empty where the system does not tell or there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _alive(pid: int, started: str) -> bool:
    if os.name == "nt":  # where signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to somebody else
        pass
    return _started(pid) == started
