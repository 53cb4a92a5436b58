"""Files that are whole or absent: atomic writes, fingerprints, and paths that stay inside their root."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from helpers.config import InputError


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends without an error.

    A kill at any moment leaves either the old file or the new one. The temporary name keeps the suffix, because
    many writers choose the format by it. Parent folders are made.

    Raises:
        InputError: the place cannot be written to.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with "\\n" line ends on every system."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically: indented, keys in their order, non-ASCII as it is, no NaN."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON; names the file, line and column.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not JSON (not UTF-8 text); write it again or replace it") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None


def inside(root: Path, relative: str | Path) -> Path:
    """Resolve a path that came from an input file, which must stay below `root`.

    Raises:
        InputError: the path is absolute or climbs out of the root.
    """
    root = Path(root).resolve()
    path = (root / relative).resolve()
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
