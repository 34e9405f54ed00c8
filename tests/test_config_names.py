import logging

import pytest
from recbole.model.general_recommender.bpr import BPR

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig


def test_an_unknown_key_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        config = DecRSConfig(config_dict={"margins": 0.3, "my_key": 1})
    assert "nobody knows the configuration key my_key, it changes nothing; check its spelling" in caplog.text
    assert len(config.remarks) == 2


@pytest.mark.parametrize(
    ("key", "meant"), [("drift_alhpa", "drift_alpha"), ("group-field", "group_field"), ("epoch", "epochs")]
)
def test_a_near_miss_of_a_key_stops(key, meant):
    with pytest.raises(DecRSError, match=f"no configuration key {key}; did you mean {meant}"):
        DecRSConfig(config_dict={key: 1})


def test_keys_that_a_model_of_ones_own_reads_are_known(caplog):
    class Mine(BPR):
        def __init__(self, config, dataset):
            super().__init__(config, dataset)
            self.width = config["my_width"]

    with caplog.at_level(logging.WARNING):
        assert DecRSConfig(Mine, config_dict={"my_width": 1}).remarks == []
    assert caplog.text == ""


def test_known_keys_are_not_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        DecRSConfig("CFKG", config_dict={"margin": 1.0, "warm_up_step": 3, "drift_alpha": 0.3, "transform": None})
    assert caplog.text == ""


def test_a_config_file_that_nobody_reads():
    with pytest.raises(DecRSError, match="there is no configuration key config_file; did you mean config_files"):
        DecRSConfig(command_line={"config_file": "a.yaml"})


def test_a_setting_without_a_name():
    with pytest.raises(DecRSError, match="a setting is named by text, and not by 7"):
        DecRSConfig(config_dict={7: 1})
