import pytest

from recbole_decrs import DecRSError, run_recbole_decrs


def test_a_missing_library_is_one_sentence(settings, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(DecRSError, match="NCL needs faiss, which is not installed; install it"):
        run_recbole_decrs("NCL", "tiny", config_dict=settings | {"num_clusters": 3})


@pytest.mark.parametrize("model", ["BPR", "NeuMF", "LightGCN"])
def test_a_model_that_learns_from_negatives_and_gets_none(settings, model):
    with pytest.raises(DecRSError, match=f"train_neg_sample_args: {model} learns from negative samples, and gets none"):
        run_recbole_decrs(model, "tiny", config_dict=settings | {"train_neg_sample_args": None})


def test_settings_that_a_model_of_recboles_finds_wrong_in_training(settings):
    with pytest.raises(DecRSError, match=r"RecBole's ConvNCF cannot be evaluated with these .*; change"):
        run_recbole_decrs("ConvNCF", "tiny", config_dict=settings | {"embedding_size": 8})


def test_a_fault_of_the_plugin_is_not_said_to_be_a_setting(settings, monkeypatch):
    def fail(*_):
        raise RuntimeError("a fault")

    monkeypatch.setattr("recbole_decrs.model.two_sided.TwoSided.forward_ids", fail)
    with pytest.raises(RuntimeError, match="a fault") as raised:
        run_recbole_decrs("FM", "tiny", config_dict=settings)
    assert not isinstance(raised.value, DecRSError)
