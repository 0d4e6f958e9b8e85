"""The hub's configuration in docs/jupyterhub names settings that JupyterHub has."""

from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.spawner import Spawner
from traitlets.config.loader import PyFileConfigLoader

from tests.e2e.conftest import ROOT


def test_every_setting_exists():
    folder = ROOT / "docs" / "jupyterhub"
    config = PyFileConfigLoader("jupyterhub_config.py", path=str(folder)).load_config()
    known = {
        kind.__name__: kind.class_trait_names(config=True)
        for kind in (JupyterHub, Authenticator, Spawner)
    }
    for section, settings in config.items():
        assert set(settings) <= set(known[section]), section
