"""The fork server: a process that has imported everything once and forks the kernels.

Started by `launcher` as ``python -m coursekit.kernels.zygote DESCRIPTOR FOLDER``, it talks to its
parent over that socket and ends when the parent closes it, which an ended parent does too. It has
one thread and an environment without secrets.
"""

import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

from coursekit.kernels import channel, folders, policy
from coursekit.kernels.sandbox import Sandbox
from coursekit.kernels.warm import warm_up
from coursekit.kernels.watch import INTERVAL, Watch

PROFILE = "ipython"
TICKS = 0.1  # seconds by which the limit of processor time and its measure may disagree


@dataclass
class _Kernel:
    """A forked process.

    Attributes
    ----------
    pid, pidfd : int
    connection : socket.socket
        To who asked for it.
    watch : Watch
    reason : str
        Why the zygote killed it.
    """

    pid: int
    pidfd: int
    connection: socket.socket
    watch: Watch
    reason: str = ""

    def kill(self):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)


class Zygote:
    """The fork server's state.

    Parameters
    ----------
    control : socket.socket
        Requests come from here; its end ends the zygote.
    profile : str
        IPython's folder, for kernels to read.
    forked, prepared : module
        As `warm.warm_up` gives them.
    """

    def __init__(self, control, profile, forked, prepared):
        self._control, self._profile = control, profile
        self._forked, self._prepared = forked, prepared
        self._sandboxes = {}
        self._app, self._arguments = None, None
        self._kernels = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, self._on_request)
        self._asked = None

    def serve(self):
        """Fork on request until the parent has gone.

        Returns
        -------
        callable or None
            In a forked process, what it has to do; None in the zygote itself, at its end.
        """
        looked = 0.0
        while True:
            ready = self._selector.select(INTERVAL if self._kernels else None)
            for key, _ in ready:
                if not key.data(key.fileobj):
                    return self._asked
            if monotonic() - looked >= INTERVAL:
                looked = monotonic()
                self._look_at_kernels()

    def _on_request(self, control):
        message, descriptors = channel.receive(control)
        if message is None:
            for kernel in self._kernels.values():
                kernel.kill()
                os.waitpid(kernel.pid, 0)
            return False
        connection, *others = (socket.socket(fileno=number) for number in descriptors)
        going_on = True
        try:
            going_on = self._fork(connection, others, message)
        except Exception as problem:  # one request must not end the kernels of the others
            _tell(connection, failed=getattr(problem, "strerror", None) or str(problem))
            connection.close()
        if going_on:
            for other in others:
                other.close()
        return going_on

    def _fork(self, connection, others, message):
        """Start what is asked for; False in the forked process."""
        sandbox = self._sandbox(tuple(message["packages"]), tuple(message["readable"]))
        limits = policy.Limits(**message["limits"])
        act = {"look": self._look, "run": self._run}[message["act"]]
        asked = act(connection, sandbox, limits, message, *others)
        watch = Watch(limits, message["work"])
        pid = os.fork()
        if pid == 0:
            self._let_go((connection, *others))
            self._asked = asked
            return False
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        kernel = self._kernels[pid] = _Kernel(pid, pidfd, connection, watch)
        self._selector.register(connection, selectors.EVENT_READ, lambda _: self._on_gone(kernel))
        self._selector.register(kernel.pidfd, selectors.EVENT_READ, lambda _: self._on_end(kernel))
        return True

    def _look(self, *what):
        return partial(self._forked.look, *what)

    def _run(self, connection, sandbox, limits, message, speaking):
        message["profile"] = self._profile
        if message["arguments"] != self._arguments:
            self._arguments = None
            self._app = self._prepared.prepare(message["arguments"])
            self._arguments = message["arguments"]
        return partial(self._forked.run, connection, sandbox, limits, message, self._app, speaking)

    def _sandbox(self, packages, readable):
        key = packages, readable
        if key not in self._sandboxes:
            self._sandboxes[key] = Sandbox(packages, (*readable, self._profile))
        return self._sandboxes[key]

    def _on_gone(self, kernel):
        """Kill the kernel of who has gone."""
        if kernel.pid in self._kernels:  # else it ended a moment ago
            self._selector.unregister(kernel.connection)
            kernel.kill()
        return True

    def _on_end(self, kernel):
        _, status, usage = os.wait4(kernel.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code in (-signal.SIGXCPU, -signal.SIGKILL) and not kernel.reason:
            seconds = kernel.watch.limits.processor_time
            if usage.ru_utime + usage.ru_stime >= seconds - TICKS:
                kernel.reason = f"used more than {seconds} s of processor time"
        for registered in (kernel.pidfd, kernel.connection):
            with suppress(KeyError):
                self._selector.unregister(registered)
        _tell(kernel.connection, exit=code, reason=kernel.reason)
        kernel.connection.close()
        os.close(kernel.pidfd)
        del self._kernels[kernel.pid]
        return True

    def _look_at_kernels(self):
        for kernel in self._kernels.values():
            if not kernel.reason:
                try:
                    kernel.reason = kernel.watch.excess(kernel.pid)
                except Exception as problem:  # one kernel must not end the watch of the others
                    kernel.reason = f"could not be watched ({type(problem).__name__})"
                if kernel.reason:
                    kernel.kill()

    def _let_go(self, kept):
        """In a forked process: close all that is the zygote's."""
        self._selector.close()
        self._control.detach()
        for kernel in self._kernels.values():
            kernel.connection.detach()
        self._kernels.clear()
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in [sock.fileno() for sock in kept]:
                with suppress(OSError):
                    os.close(int(name))


def _tell(connection, **message):
    """Send a message to who may have gone meanwhile."""
    with suppress(OSError):
        channel.send(connection, **message)


def main(descriptor, folder):
    """Run the zygote; in a forked process, run the kernel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is for the parent
    control = socket.socket(fileno=int(descriptor))
    try:
        profile = os.path.join(folder, PROFILE)
        os.makedirs(profile)
        modules = warm_up(profile)
        for place, _, _ in os.walk(profile):
            os.chmod(place, 0o755)  # for throw-away users
        zygote = Zygote(control, profile, *modules)
    except Exception as problem:
        channel.send(control, failed=f"{type(problem).__name__}: {problem}")
        return
    try:
        channel.send(control, ready=True)
    except OSError:  # who asked has gone meanwhile
        folders.remove(folder)
        return
    asked = zygote.serve()
    if asked is None:
        folders.remove(folder)
    else:
        asked()


if __name__ == "__main__":
    main(*sys.argv[1:])
