"""What hostile code would like to reach: a course, a home, listening sockets, a process."""

import socket
import sqlite3
import subprocess
from contextlib import closing, contextmanager, suppress


def make_course(folder):
    """Make a course and a home that everybody may read and write, so far as Unix is asked."""
    files = {
        "course/source/round/x.ipynb": "the solution",
        "course/submitted/other/round/x.ipynb": "another answer",
        "course/submitted/other/round/notes.txt": "another thought",
        "course/submitted/own/round/data.csv": "1,2",
        "course/.coursekit/secret": "secret-of-" + "the-course",
        "course/empty/": "",
        "home/.ssh/id": "a key",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(text)
    with closing(sqlite3.connect(folder / "course/gradebook.db")) as gradebook, gradebook:
        gradebook.execute("CREATE TABLE grade (student TEXT, manual_score REAL)")
        gradebook.execute("INSERT INTO grade VALUES ('own', 1.5)")
    open_to_all(folder)
    (folder / "course/submitted/own/round/shortcut").symlink_to(folder / "course/.coursekit/secret")


def open_to_all(folder):
    """Let everybody read and write all that lies in a folder."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)


def state(*folders):
    """Give what may be told of the files in folders: bytes, times, modes and owners."""
    found = {}
    for path in [path for folder in folders for path in [folder, *folder.rglob("*")]]:
        seen = path.lstat()
        content = path.read_bytes().hex() if path.is_file() else ""
        found[str(path)] = (seen.st_mode, seen.st_uid, seen.st_mtime_ns, seen.st_size, content)
    return found


class Ears:
    """Sockets that hostile code may find: where they are, and who called."""

    def __init__(self, folder):
        self.path, self.abstract = folder / "ear", f"\0{folder}"
        self._streams = [socket.create_server(("127.0.0.1", 0))]
        self._datagrams = socket.socket(type=socket.SOCK_DGRAM)
        self._datagrams.bind(("127.0.0.1", 0))
        for address in (str(self.path), self.abstract):
            self._streams.append(socket.socket(socket.AF_UNIX))
            self._streams[-1].bind(address)
            self._streams[-1].listen()
        self.path.chmod(0o666)
        self.tcp, self.udp = self._streams[0].getsockname(), self._datagrams.getsockname()

    def guests(self):
        """Count the calls that wait."""
        count = 0
        for stream in self._streams:
            stream.setblocking(False)
            with suppress(BlockingIOError):
                stream.accept()[0].close()
                count += 1
        self._datagrams.setblocking(False)
        with suppress(BlockingIOError):
            self._datagrams.recv(1)
            count += 1
        return count

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in (*self._streams, self._datagrams):
            end.close()


@contextmanager
def canary():
    """Start a process that others may try to kill."""
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()
