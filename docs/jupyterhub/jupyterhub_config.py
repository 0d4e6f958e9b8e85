"""JupyterHub for a course: students work in their own homes, teachers share one course account.

The course account (a local user, here `course`) owns the course folder, which nobody else can
read. Teachers log in as themselves and open its server; nothing of a student's is ever theirs.
"""

import os
import sysconfig
from pathlib import Path

COURSE_ACCOUNT = "course"
COURSE_FOLDER = Path("/srv/course")
TEACHERS = ["teacher"]

c = get_config()  # noqa: F821  (JupyterHub's loader defines it)

c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # a web server with TLS stands before it
c.Authenticator.allow_all = True  # whoever the authenticator knows; PAM unless you set another
c.Spawner.default_url = "/lab"
# nbgrader calls alembic by its name to make a gradebook; systemd gives a hub a bare PATH.
c.Spawner.environment = {
    "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
}

# --- Teachers share the server of the course account -------------------------------------------
c.JupyterHub.load_groups = {"teachers": {"users": TEACHERS}}
c.JupyterHub.load_roles = [
    {
        "name": "teacher",
        "groups": ["teachers"],
        "scopes": [
            f"{right}!user={COURSE_ACCOUNT}"
            for right in ("access:servers", "servers", "read:users:name")
        ],
    }
]


def open_course(spawner):
    """Start the course account's server in the course folder, where nbgrader looks for settings.

    The hub changes to the home of a user before it starts a server; `umask` keeps what the
    formgrader writes to the account.
    """
    if spawner.user.name == COURSE_ACCOUNT:
        spawner.default_url = "/formgrader"
        spawner.notebook_dir = str(COURSE_FOLDER)
        enter = 'umask 077; cd "$1"; shift; exec "$@"'
        spawner.cmd = ["sh", "-c", enter, "sh", str(COURSE_FOLDER), "jupyterhub-singleuser"]


c.Spawner.pre_spawn_hook = open_course
