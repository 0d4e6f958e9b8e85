"""The grader's side of the zygote: start it, ask it for kernels, and clear up after it."""

import asyncio
import atexit
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from coursekit.errors import KitError
from coursekit.kernels import channel, folders, policy
from coursekit.kernels.machine import missing

START_SECONDS = 60
PASSED_THROUGH = 0o711  # by throw-away users, who cannot see what else is there
LONGEST_FOLDER = 60  # a unix socket's path has at most 107 bytes


class SandboxError(KitError):
    """Student code cannot be run in the sandbox, so it is not run at all."""


@dataclass(frozen=True)
class Workspace:
    """The private folders of one kernel.

    Attributes
    ----------
    root : Path
        Holds the others.
    work : Path
        Where student code reads and writes.
    ipc : Path
        The kernel's sockets and connection file.
    """

    root: Path

    @property
    def work(self):
        """Folder in which student code runs."""
        return self.root / "work"

    @property
    def ipc(self):
        """Folder of the kernel's sockets."""
        return self.root / "ipc"

    def remove(self):
        """Remove the folders and all that student code left there."""
        folders.remove(self.root)


class ForkedKernel:
    """A kernel process that the zygote forked.

    Parameters
    ----------
    connection : socket.socket
        The grader's end; closing it kills the kernel.

    Attributes
    ----------
    pid : int
    exit_code : int or None
        None while it runs; negative for a signal.
    reason : str
        What the kernel did that the zygote killed it for, to follow "the kernel"; may be empty.
    """

    def __init__(self, connection):
        self._connection = connection
        self.exit_code = None
        self.reason = ""
        connection.settimeout(START_SECONDS)
        self.pid = _told(connection, "pid")
        connection.setblocking(False)

    async def ready(self):
        """Wait until the kernel's sockets are bound.

        Raises
        ------
        SandboxError
            If it did not get that far.
        """
        loop = asyncio.get_running_loop()
        receiving = loop.sock_recv(self._connection, channel.LONGEST)
        data = await asyncio.wait_for(receiving, START_SECONDS)
        _understand(self._connection, channel.parse(data), "ready")

    def poll(self):
        """Look whether the kernel has ended.

        Returns
        -------
        int or None
            As `exit_code`.
        """
        if self.exit_code is None:
            with suppress(BlockingIOError):
                message, _ = channel.receive(self._connection)
                message = message or {"exit": -9, "reason": "died with the process that started it"}
                self.exit_code, self.reason = message["exit"], message["reason"]
                self._connection.close()
        return self.exit_code

    def send_signal(self, number):
        """Send the kernel a signal, if it still runs."""
        if self.poll() is None:
            with suppress(OSError):
                channel.send(self._connection, signal=int(number))


def _told(connection, word):
    """Receive a message and give what it says under a word."""
    return _understand(connection, channel.receive(connection)[0], word)


def _understand(connection, message, word):
    if message is None or word not in message:
        connection.close()
        reason = (message or {}).get("failed") or "the process that forks kernels has died"
        raise SandboxError(f"No kernel could be started in the sandbox: {reason}.")
    return message[word]


class Launcher:
    """A running zygote.

    Raises
    ------
    SandboxError
        If this machine cannot run the sandbox, or the zygote does not start.
    """

    def __init__(self):
        lacking = missing()
        if lacking:
            raise SandboxError(
                f"Student code is not run, because the sandbox is not complete: {lacking}; "
                "or run it with all your rights: --unsafe-no-sandbox"
            )
        self._lock = threading.Lock()
        self._count = 0
        self._folder = _make_folder()
        self._control, theirs = channel.pair()
        descriptor = theirs.fileno()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-X", "frozen_modules=off", "-m"),
                *("coursekit.kernels.zygote", str(descriptor), str(self._folder)),
            ],
            pass_fds=[descriptor],
            env=self._environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is for the grader
        )
        theirs.close()
        atexit.register(self.close)
        self._control.settimeout(START_SECONDS)
        try:
            _told(self._control, "ready")
        except SandboxError:
            self.close()
            raise

    @property
    def alive(self):
        """Whether the zygote runs."""
        return self._process.poll() is None

    def workspace(self, folder=None):
        """Make the folders of one kernel.

        Parameters
        ----------
        folder : path, optional
            Its regular files, notebooks left out, are copied into the work folder.

        Returns
        -------
        Workspace
        """
        with self._lock:
            self._count += 1
            space = Workspace(self._folder / str(self._count))
        space.root.mkdir()
        space.root.chmod(PASSED_THROUGH)
        space.ipc.mkdir()
        if folder is None:
            space.work.mkdir()
        else:
            shutil.copytree(folder, space.work, symlinks=True, ignore=_not_for_students)
        for place in (space.ipc, space.work):
            place.chmod(0o700)
        return space

    def start(self, space, limits, arguments, environment, packages=(), readable=()):
        """Fork a kernel.

        Parameters
        ----------
        space : Workspace
        limits : policy.Limits
        arguments : list of str
            Those of ipykernel.
        environment : dict
            All that the kernel sees, beside what the sandbox itself sets.
        packages, readable : iterable of str
            What may be imported and read beside what `policy` names.

        Returns
        -------
        ForkedKernel

        Raises
        ------
        SandboxError
            If the zygote has died.
        """
        connection = self._ask(
            space,
            limits,
            packages,
            readable,
            act="run",
            arguments=list(arguments),
            environment=environment,
        )
        return ForkedKernel(connection)

    def what_opens(self, paths, packages=(), readable=()):
        """Try from inside the sandbox to open files and folders.

        Parameters
        ----------
        paths : iterable of str
        packages, readable : iterable of str
            As in `start`.

        Returns
        -------
        list of str
            Those of the paths that student code could open.

        Raises
        ------
        SandboxError
            If no process could be locked in.
        """
        space = self.workspace()
        try:
            connection = self._ask(
                space, policy.Limits(), packages, readable, act="look", paths=list(paths)
            )
            with connection:
                ForkedKernel(connection)
                connection.settimeout(START_SECONDS)
                return _told(connection, "opened")
        finally:
            space.remove()

    def close(self):
        """End the zygote and all its kernels, and remove their folders."""
        atexit.unregister(self.close)
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        folders.remove(self._folder)

    def _ask(self, space, limits, packages, readable, **request):
        ours, theirs = channel.pair()
        request |= {"work": str(space.work), "ipc": str(space.ipc), "limits": asdict(limits)}
        request |= {"packages": list(packages), "readable": list(readable)}
        try:
            with self._lock:
                channel.send(self._control, [theirs.fileno()], **request)
        except OSError as problem:
            ours.close()
            raise SandboxError("The process that forks kernels has died.") from problem
        finally:
            theirs.close()
        return ours

    def _environment(self):
        kept = {name: os.environ[name] for name in policy.ENVIRONMENT if name in os.environ}
        folder = str(self._folder)
        return kept | policy.ONE_THREAD | {"HOME": folder, "MPLCONFIGDIR": f"{folder}/matplotlib"}


_running = {}
_starting = threading.Lock()


def launcher():
    """Give this process's launcher, starting a new zygote if there is none or it has died.

    Returns
    -------
    Launcher

    Raises
    ------
    SandboxError
        If this machine cannot run the sandbox.
    """
    with _starting:
        found = _running.get(os.getpid())  # a forked process must not use its parent's
        if found is None or not found.alive:
            if found is not None:
                found.close()
            found = _running[os.getpid()] = Launcher()
        return found


def _make_folder():
    """Make a private folder whose path is short enough for sockets."""
    place = tempfile.gettempdir()
    folder = Path(
        tempfile.mkdtemp(prefix="ck-", dir=place if len(place) < LONGEST_FOLDER else "/tmp")
    )
    if os.getuid() == 0:
        folder.chmod(PASSED_THROUGH)
    return folder


def _not_for_students(folder, names):
    """Choose what is not copied into a work folder: notebooks, and all but files and folders."""
    modes = {name: os.lstat(os.path.join(folder, name)).st_mode for name in names}
    return {
        name
        for name, mode in modes.items()
        if name.endswith(".ipynb") or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    }
