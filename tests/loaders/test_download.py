from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from graph_schema import InputError
from loaders.download import RemoteFile, locate, read_content

CONTENT = b"1\t2\n3\t4\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; a name with `cut` in it breaks off half way, as a lost connection does."""

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.server.requests.append(self.path)  # type: ignore[attr-defined]
        if "cut" not in self.path:
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2])
        return None


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = tmp_path / "served"
    served.mkdir()
    (served / "rows.txt").write_bytes(CONTENT)
    (served / "rows.txt.gz").write_bytes(gzip.compress(CONTENT))
    (served / "other.txt").write_bytes(b"something else")
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(served)))
    running.requests = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def remote(server: ThreadingHTTPServer, name: str) -> RemoteFile:
    return RemoteFile("set", "part/rows.txt", f"http://127.0.0.1:{server.server_port}/{name}", SHA256)


def files_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(("name", "stored"), [("rows.txt", "rows.txt"), ("rows.txt.gz", "rows.txt.gz")])
def test_what_is_missing_is_downloaded_once(
    server: ThreadingHTTPServer, tmp_path: Path, name: str, stored: str
) -> None:
    root = tmp_path / "root"
    first, second = (locate(root, remote(server, name)) for _ in range(2))
    assert first == second == root / "set" / "part" / stored
    assert read_content(first, SHA256) == CONTENT
    assert files_below(root) == [f"set/part/{stored}"]
    assert server.requests == [f"/{name}"]  # type: ignore[attr-defined]


def test_a_downloaded_file_may_be_read_by_others_as_the_mask_says(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = locate(tmp_path / "root", remote(server, "rows.txt"))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("stored", ["rows.txt", "rows.txt.gz"])
def test_a_file_that_is_there_is_used_plain_or_compressed(tmp_path: Path, stored: str) -> None:
    path = tmp_path / "set" / "part" / stored
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT if stored.endswith("txt") else gzip.compress(CONTENT, compresslevel=1))
    unreachable = RemoteFile("set", "part/rows.txt", "http://127.0.0.1:9/rows.txt", SHA256)
    assert locate(tmp_path, unreachable) == path
    assert read_content(path, SHA256) == CONTENT


def test_not_found_says_which_file_to_put_where(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    root = tmp_path / "root"
    wanted = remote(server, "absent.txt")
    with pytest.raises(InputError) as caught:
        locate(root, wanted)
    message = str(caught.value)
    assert message.startswith(f"cannot download {wanted.url} (404 Client Error")
    assert f'put it at "{root}/set/part/rows.txt"' in message
    assert "KGXFER_DATA to the folder that has set/part/rows.txt" in message
    assert files_below(root) == []


def test_no_network_says_which_file_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    nobody_listens = RemoteFile("set", "rows.txt", "http://127.0.0.1:9/rows.txt", SHA256)
    with pytest.raises(InputError) as caught:
        locate(tmp_path, nobody_listens)
    assert str(caught.value).startswith("cannot download http://127.0.0.1:9/rows.txt (")
    assert f'put it at "{tmp_path}/set/rows.txt"' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_below(tmp_path) == []


def test_a_download_that_breaks_off_leaves_nothing(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with pytest.raises(InputError, match=r"cut\.txt"):
        locate(root, remote(server, "cut.txt"))
    assert files_below(root) == []


def test_a_download_of_another_content_leaves_nothing(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with pytest.raises(InputError) as caught:
        locate(root, remote(server, "other.txt"))
    found = hashlib.sha256(b"something else").hexdigest()
    assert f"sha256 of its content is {found}, expected {SHA256} (14 bytes)" in str(caught.value)
    assert files_below(root) == []


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt.gz"
    path.write_bytes(gzip.compress(CONTENT, mtime=0)[:-20])
    with pytest.raises(InputError) as caught:
        read_content(path, SHA256)
    assert str(caught.value).startswith(f'file "{path}" is damaged or cut off (')
    assert str(caught.value).endswith("delete it and fetch it again")


@pytest.mark.parametrize("damaged", [b"", b"no gzip at all", gzip.compress(CONTENT, mtime=0)[:12] + b"\xff" * 40])
def test_a_damaged_archive_is_named(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "rows.txt.gz"
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r'file ".*rows\.txt\.gz" is damaged'):
        read_content(path, SHA256)


def test_one_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_bytes(b"2" + CONTENT[1:])
    with pytest.raises(InputError, match=f"expected {SHA256} \\(8,000 bytes\\); delete it and fetch it again"):
        read_content(path, SHA256)


def test_a_place_that_cannot_be_written_is_named(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"choose another folder with root= or KGXFER_DATA"):
        locate(tmp_path / "root", remote(server, "rows.txt"))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    try:
        finished = subprocess.run(mounting, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"cannot mount a small disk: {error}")
    if finished.returncode:
        pytest.skip(f"cannot mount a small disk: {finished.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_says_so_and_keeps_nothing(server: ThreadingHTTPServer, tiny_disk: Path) -> None:
    with pytest.raises(InputError) as caught:
        locate(tiny_disk, remote(server, "rows.txt"))
    assert str(caught.value).startswith("no space left to download http://127.0.0.1:")
    assert "free some or choose another folder with root= or KGXFER_DATA" in str(caught.value)
    assert files_below(tiny_disk) == []
