"""What nbgrader's own commands call before they grade."""

from traitlets.config import Application, Config

from coursekit.grading.execute import BoundedExecute
from coursekit.grading.selftest import check_sandbox
from coursekit.judging import seeds
from coursekit.kernels.fork import SandboxError


def begin_run(config):
    """Make nbgrader's hook before grading: refuse without a sandbox, else begin a grading run.

    nbgrader turns an exception into a traceback for each student; here it ends with a sentence.

    Parameters
    ----------
    config : traitlets.config.Config
        The course's configuration, as ``nbgrader_config.py`` makes it.

    Returns
    -------
    callable
        For ``c.Autograde.pre_convert_hook``.
    """

    def hook(**_):
        settings = Config()
        settings.merge(config)
        if Application.initialized():  # the command line has the last word
            settings.merge(Application.instance().config)
        if not BoundedExecute(config=settings).unsafe_no_sandbox:
            try:
                check_sandbox(settings)
            except SandboxError as problem:
                raise SystemExit(f"nbgrader: {problem}") from None
        seeds.new_run()

    return hook
