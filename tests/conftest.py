import logging
import os
import warnings

import pytest
import torch
from hypothesis import settings as hypothesis_settings

from tiny_data import tiny_settings, tiny_tables, write_tables

# The same examples in every run; `pytest --hypothesis-profile=default` tries others.
hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis_settings.load_profile("repeatable")
# On data this small threads wait for each other, endlessly so where other programs run; processes that are started
# take it over from here.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Runs write saved/, log/ and log_tensorboard/ where they are started."""
    monkeypatch.chdir(tmp_path)
    logging.getLogger().setLevel(logging.WARNING)


@pytest.fixture(autouse=True, scope="session")
def _the_load_is_not_measured():
    """Each run tells how busy the processor is, for which RecBole watches it for a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("psutil.cpu_percent", lambda interval=None: 0.0)
        yield


@pytest.fixture
def data_folder(tmp_path):
    """A folder with the dataset ``tiny``."""
    return write_tables(tmp_path / "data", tiny_tables())


@pytest.fixture
def settings(data_folder):
    """Settings of a fast run on ``tiny``."""
    return tiny_settings(data_folder)


@pytest.fixture
def prepared(settings):
    """Makes the configuration and the loaders of ``tiny``: ``prepared(model, **settings)``."""
    from recbole_decrs.config import DecRSConfig
    from recbole_decrs.data.preparation import create_dataset, data_preparation

    def prepare(model="DecFM", **others):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = DecRSConfig(model, "tiny", config_dict=settings | others)
            return config, *data_preparation(config, create_dataset(config))

    return prepare


@pytest.fixture
def reads(monkeypatch):
    """The paths of the checkpoints that are read as a whole, in order."""
    from recbole_decrs import checkpoint

    read, paths = checkpoint.read_checkpoint, []

    def remember(path):
        paths.append(path)
        return read(path)

    monkeypatch.setattr(checkpoint, "read_checkpoint", remember)
    return paths
