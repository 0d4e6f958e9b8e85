"""Lock the calling process into the sandbox of `policy`, for good."""

import ctypes
import os
import resource
import signal
from contextlib import suppress

from coursekit.kernels import landlock, policy, seccomp, users
from coursekit.kernels.readable import hidden_modules, interpreter, readable, readable_by_others

_libc = ctypes.CDLL(None, use_errno=True)
_SET_PDEATHSIG = 1


class Sandbox:
    """What the locks of many kernels have in common; made once, used in each forked process.

    Parameters
    ----------
    packages : iterable of str
        Distributions that may be imported, beside those of `policy`.
    read : iterable of str
        Folders and files that may be read, beside those of `policy`.

    Attributes
    ----------
    packages : list of str
        All distributions that may be imported.
    hidden_modules : set of str
        Installed modules that cannot be read.

    Raises
    ------
    OSError
        If the machine lacks Landlock or libseccomp.
    """

    def __init__(self, packages=(), read=()):
        landlock.version()
        self._filter = seccomp.Filter()
        self.packages = [*policy.PACKAGES, *packages]
        self._read, self._listed = readable(self.packages, read)
        self.hidden_modules = hidden_modules(self._read)
        self._changes_user = users.can_be_changed() and readable_by_others(interpreter())

    def enter(self, limits, work):
        """Lock the calling process, which must have a single thread, and change to its folder.

        Parameters
        ----------
        limits : policy.Limits
        work : str
            The folder in which the process may read and write.

        Raises
        ------
        OSError
            If the machine refuses any part of it; nothing of the student may run then.
        """
        _write("/proc/self/oom_score_adj", "1000")  # where memory is short, this goes first
        if self._changes_user:
            users.become_nobody(work)
        elif os.getuid() == 0:
            users.drop_capabilities()
        users.check(_libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "the death signal")
        _limit(limits)
        os.chdir(work)
        landlock.restrict(self._grants(work))
        self._filter.load()

    def _grants(self, work):
        own = [f"/proc/{os.getpid()}/{name}" for name in policy.PROCESS]
        for path in (*self._read, *own):
            yield path, landlock.READ
        for path in self._listed:
            yield path, landlock.LIST
        for path in policy.DEVICES:
            yield path, landlock.DEVICE
        yield work, landlock.WORK


def _limit(limits):
    seconds = limits.processor_time
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits.address_space, limits.address_space),
        (resource.RLIMIT_CPU, seconds, seconds + 1),  # a signal first, that tells what happened
        (resource.RLIMIT_FSIZE, limits.file_size, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.open_files, limits.open_files),
        (resource.RLIMIT_NPROC, *[_tasks_of_this_user() + limits.threads] * 2),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(kind, (soft, hard))


def _tasks_of_this_user():
    """Count the threads of the user, which RLIMIT_NPROC limits all together."""
    uid, count = os.getuid(), 0
    if uid == 0 or policy.FIRST_UID <= uid < policy.FIRST_UID + policy.UIDS:
        return 0  # no limit for root; nothing else runs as a throw-away user
    for name in os.listdir("/proc"):
        with suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == uid:
                count += len(os.listdir(f"/proc/{name}/task"))
    return count


def _write(path, text):
    with suppress(OSError), open(path, "w", encoding="ascii") as file:
        file.write(text)
