import pytest

from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from tiny_data import tiny_settings, write_tables


@pytest.fixture
def load(tmp_path):
    """Makes the loaders of tables: ``load(tables, model, **settings)`` -> training, validation, test."""

    def load(tables, model="BPR", **others):
        write_tables(tmp_path / "data", tables)
        settings = tiny_settings(tmp_path / "data", **others)
        if settings["load_col"] == "usual":  # as of a user who gives none
            del settings["load_col"], settings["numerical_features"]
        config = DecRSConfig(model, "tiny", config_dict=settings)
        return data_preparation(config, create_dataset(config))

    return load
