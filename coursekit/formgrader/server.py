"""Start JupyterLab with nbgrader's formgrader on a course."""

import os
import secrets
import socket
import sys
import sysconfig
from dataclasses import dataclass, field

from coursekit.course import Course, private_files
from coursekit.errors import KitError

HOST = "localhost"
PORT = 8888
TRIES = 50
PAGE = "/formgrader"


@dataclass(frozen=True)
class Server:
    """A Jupyter server that is to be started.

    Attributes
    ----------
    course : Course
    port : int
    browser : bool
        Whether to open the formgrader in the browser.
    token : str
        Whoever has it may do all that the user may.
    """

    course: Course
    port: int
    browser: bool = True
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def url(self) -> str:
        """Address of the formgrader, with the token."""
        return f"http://{HOST}:{self.port}{PAGE}?token={self.token}"

    @property
    def command(self) -> list[str]:
        """The command that starts it, in the course's folder, where nbgrader looks for settings."""
        return [
            *(sys.executable, "-m", "jupyterlab", "--log-level=WARN"),
            *(f"--ServerApp.ip={HOST}", f"--ServerApp.port={self.port}"),
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.course.root}",
            "--ServerApp.answer_yes=True",  # Ctrl-C ends it, without a question
            f"--ServerApp.allow_root={os.getuid() == 0}",  # in a container, say
            f"--ServerApp.open_browser={self.browser}",
            f"--LabApp.default_url={PAGE}",
            "--FormgradeExtension.debug=False",  # the settings are not the page's first half
        ]

    @property
    def environment(self) -> dict[str, str]:
        """What it is told besides: the token, which other users could read in a command."""
        programs = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
        return {**os.environ, "JUPYTER_TOKEN": self.token, "PATH": programs}

    def run(self) -> None:
        """Become the server; what the formgrader grades can be read by the owner only."""
        with private_files():
            os.chdir(self.course.root)
            os.execve(sys.executable, self.command, self.environment)


def free_port(wanted: int | None) -> int:
    """Find a port to serve on.

    Parameters
    ----------
    wanted : int or None
        None for the first free one from `PORT` on.

    Returns
    -------
    int

    Raises
    ------
    KitError
        If it is in use, or may not be taken.
    """
    for port in range(PORT, PORT + TRIES) if wanted is None else [wanted]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as problem:
                why = problem.strerror
            else:
                return port
    if wanted is None:
        raise KitError(f"No port from {PORT} to {port} is free ({why}); name another with --port.")
    raise KitError(f"Port {wanted} cannot be used ({why}); name another, or leave --port away.")
