"""Downloads against a local server: checksums, going on after a cut-off, and servers that are not there."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from helpers.config import InputError
from helpers.datasets import archives, nsynth
from helpers.datasets.archives import Archive, fetch

CONTENT = np.random.default_rng(0).bytes(100_000)
CHECKSUM = "md5:" + hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Gives CONTENT, in ranges if asked; may break off after some bytes, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []
        self.breaks_off_after: int | None = None
        self.knows_ranges = True
        self.status: int | None = None

    def archive(self, checksum: str = CHECKSUM) -> Archive:
        return Archive(f"http://127.0.0.1:{self.server_port}/notes.tar.gz?download=1", checksum, "100 kB")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.knows_ranges else 0
        status = 416 if start >= len(CONTENT) else 206 if start else 200
        body = CONTENT[start:] if status != 416 else b""
        self.send_response(self.server.status or status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.breaks_off_after])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "CHUNK", 1000)
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_download_is_checked_and_done_once(server: Server, tmp_path: Path) -> None:
    path = fetch(server.archive(), tmp_path / "new")
    assert path == tmp_path / "new" / "notes.tar.gz"
    assert path.read_bytes() == CONTENT
    assert fetch(server.archive(), tmp_path / "new") == path
    assert server.ranges == [None]
    assert list(path.parent.iterdir()) == [path]


def test_a_cut_off_download_goes_on(server: Server, tmp_path: Path) -> None:
    server.breaks_off_after = 30_500
    with pytest.raises(InputError, match=r"cannot be downloaded .* the same command goes on later"):
        fetch(server.archive(), tmp_path)
    there = (tmp_path / "notes.tar.gz.part").stat().st_size
    assert there == 30_000
    server.breaks_off_after = None
    assert fetch(server.archive(), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={there}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["notes.tar.gz"]


def test_a_server_without_ranges_starts_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "notes.tar.gz.part").write_bytes(CONTENT[:500])
    server.knows_ranges = False
    assert fetch(server.archive(), tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_already_whole_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "notes.tar.gz.part").write_bytes(CONTENT)
    assert fetch(server.archive(), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


def test_another_file_than_the_published_one_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="differs from the published one") as caught:
        fetch(server.archive("md5:" + "0" * 32), tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_does_not_stand_in_the_way_for_ever(server: Server, tmp_path: Path) -> None:
    (tmp_path / "notes.tar.gz.part").write_bytes(b"x" * 500)
    with pytest.raises(InputError, match="try again"):
        fetch(server.archive(), tmp_path)
    assert fetch(server.archive(), tmp_path).read_bytes() == CONTENT


def test_a_file_that_was_damaged_on_disk_is_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "notes.tar.gz").write_bytes(CONTENT[:-1])
    assert fetch(server.archive(), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 500])
def test_refusal_of_the_server_is_told(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(InputError, match=rf"notes.tar.gz.*cannot be downloaded \({status}"):
        fetch(server.archive(), tmp_path)


def test_a_server_that_is_not_there_is_told(server: Server, tmp_path: Path) -> None:
    archive = server.archive()
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="cannot be downloaded") as caught:
        fetch(archive, tmp_path)
    assert "\n" not in str(caught.value)


def test_official_archives_are_named_as_find_split_looks_for_them() -> None:
    assert {split: a.name for split, a in nsynth.DOWNLOADS.items()} == {
        split: f"nsynth-{split}.jsonwav.tar.gz" for split in nsynth.OFFICIAL
    }
