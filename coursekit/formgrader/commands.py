"""The command that opens the formgrader."""

from typing import TYPE_CHECKING

import click

from coursekit.command import course_command

# nbgrader takes seconds to import: each command imports what it needs, so that help comes at once.
if TYPE_CHECKING:
    from coursekit.course import Course


@course_command
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="Port on this machine; default: the first free one from 8888 on.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def formgrader_(course: "Course", port: int | None, no_browser: bool):
    """Grade by hand: open nbgrader's formgrader in JupyterLab; Ctrl-C ends it."""
    from coursekit.formgrader.server import Server, free_port

    server = Server(course, free_port(port), not no_browser)
    click.echo(
        f"The formgrader: {server.url}\nCtrl-C ends it; all points are saved as you give them."
    )
    server.run()


FORMGRADER = (formgrader_,)
