"""The grader's side of the zygote: start it, ask it for kernels, and clear up after it."""

import atexit
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

from coursekit.kernels import channel, folders, policy
from coursekit.kernels.fork import PATIENCE, ForkedKernel, SandboxError, Workspace, told
from coursekit.kernels.machine import missing

PASSED_THROUGH = 0o711  # by throw-away users, who cannot see what else is there


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
                f"Student code is not run, because the sandbox is not complete: {lacking}; where "
                "nothing can be lost, coursekit grade --unsafe-no-sandbox runs it with all your "
                "rights"
            )
        self._lock = threading.Lock()
        self._owner = os.getpid()
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
        self._control.settimeout(PATIENCE)
        try:
            told(self._control, "ready")
        except SandboxError:
            self.close()
            raise

    @property
    def alive(self):
        """Whether the zygote runs."""
        return self._process.poll() is None

    def workspace(self, folder=None):
        """Make the folder of one kernel.

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
        if folder is None:
            space.work.mkdir()
        else:
            shutil.copytree(folder, space.work, symlinks=True, ignore=_not_for_students)
        space.work.chmod(0o700)
        return space

    def start(self, space, limits, arguments, environment, packages=(), readable=()):
        """Fork a kernel.

        Parameters
        ----------
        space : Workspace
        limits : policy.Limits
        arguments : list of str
            Of ipykernel.
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
        ours, theirs = channel.pair()
        with theirs:
            try:
                connection = self._ask(
                    space,
                    limits,
                    packages,
                    readable,
                    [theirs.fileno()],
                    act="run",
                    arguments=list(arguments),
                    environment=environment,
                )
            except SandboxError:
                ours.close()
                raise
        return ForkedKernel(connection, ours)

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
                space, policy.Limits(), packages, readable, [], act="look", paths=list(paths)
            )
            with connection:
                connection.settimeout(PATIENCE)
                return told(connection, "opened")
        finally:
            space.remove()

    def close(self):
        """End the zygote and all its kernels, and remove their folders."""
        atexit.unregister(self.close)
        self._control.close()
        if os.getpid() != self._owner:  # forked: they are the parent's
            return
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        folders.remove(self._folder)

    def _ask(self, space, limits, packages, readable, descriptors, **request):
        ours, theirs = channel.pair()
        request |= {"work": str(space.work), "limits": asdict(limits)}
        request |= {"packages": list(packages), "readable": list(readable)}
        try:
            with self._lock:
                channel.send(self._control, [theirs.fileno(), *descriptors], **request)
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
    folder = Path(tempfile.mkdtemp(prefix="ck-"))
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
