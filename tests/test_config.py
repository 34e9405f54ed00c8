import copy

import pytest

from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig


def test_precedence(tmp_path):
    (tmp_path / "a.yaml").write_text("learning_rate: 0.1\nepochs: 1\nseed: 1\nstopping_step: 1\n")
    (tmp_path / "b.yaml").write_text("epochs: 2\nseed: 2\nstopping_step: 2\n")
    config = DecRSConfig(
        config_file_list=["a.yaml", "b.yaml"],
        config_dict={"seed": 3, "stopping_step": 3},
        command_line={"stopping_step": "4"},
    )
    assert [config[key] for key in ("learning_rate", "epochs", "seed", "stopping_step")] == [0.1, 2, 3, 4]


def test_the_papers_defaults_lie_over_recboles():
    config = DecRSConfig()
    assert (config["model"], config["dataset"]) == ("DecFM", "ml-100k")
    assert config["eval_args"] == {
        "split": {"RS": [0.8, 0.1, 0.1]},
        "order": "TO",
        "group_by": "user",
        "mode": {"valid": "full", "test": "full"},
    }
    assert config["metrics"] == ["Recall", "NDCG", "CKL"]
    assert config["threshold"] is None
    assert config["train_neg_sample_args"]["distribution"] == "uniform"
    assert (config["embedding_size"], config["learner"], config["bi_batch_norm"]) == (64, "adagrad", True)
    assert config["group_features"] == "separate"


def test_sys_argv_is_not_read(monkeypatch):
    monkeypatch.setattr("sys.argv", ["x", "--learning_rate=7", "--model=BPR"])
    config = DecRSConfig()
    assert config["learning_rate"] != 7
    assert config["model"] == "DecFM"


@pytest.mark.parametrize("where", ["command_line", "config_dict"])
def test_values_are_never_evaluated(tmp_path, where):
    config = DecRSConfig(**{where: {"wandb_project": "__import__('pathlib').Path('owned').touch()"}})
    assert config["wandb_project"].startswith("__import__")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("model", ["DecFM", "BPR", "EASE", "DeepFM", "LightGCN", "CFKG"])
def test_settings_make_the_same_config_again(model):
    no_negatives = {} if model in ("DecFM", "DeepFM") else {"train_neg_sample_args": None}
    config = DecRSConfig(model, config_dict={"epochs": 3, "data_path": "elsewhere", **no_negatives})
    again = DecRSConfig(config_dict=config.settings)
    assert again.final_config_dict == config.final_config_dict


def test_other_values_are_those_of_a_copy():
    config = DecRSConfig()
    before = copy.deepcopy([config.settings, config.final_config_dict])
    other = config.with_values(eval_args={**config["eval_args"], "order": "RO"}, epochs=3)
    assert [config.settings, config.final_config_dict] == before
    assert (other["eval_args"]["order"], other.settings["eval_args"]["order"]) == ("RO", "RO")
    assert (other["epochs"], other.settings["epochs"], other["seed"]) == (3, 3, config["seed"])
    again = DecRSConfig(config_dict=other.settings)
    assert again.final_config_dict == other.final_config_dict


def test_partial_eval_args_keep_the_order_of_time():
    config = DecRSConfig(config_dict={"eval_args": {"mode": "uni100"}})
    assert config["eval_args"]["order"] == "TO"
    assert config["eval_args"]["mode"] == {"valid": "uni100", "test": "uni100"}
    assert config["eval_batch_size"] == 4096
    assert DecRSConfig()["eval_batch_size"] > 4096


@pytest.mark.parametrize("backbone", ["FM", "NFM"])
def test_the_halves_have_the_same_setting(backbone):
    from recbole_decrs.defaults import properties_dir

    folder = properties_dir() / "model"
    twin = (folder / f"Dec{backbone}.yaml").read_text().splitlines()
    assert [line for line in twin if not line.startswith("drift_alpha")] == (
        folder / f"{backbone}.yaml"
    ).read_text().splitlines()


@pytest.mark.parametrize("model", ["NFM", "DecNFM"])
def test_a_backbone_has_defaults_of_its_own_on_a_dataset(model, tmp_path):
    given = {"data_path": "nowhere"}
    assert DecRSConfig(model, "ml-1m", config_dict=given)["eval_step"] == 3
    assert DecRSConfig(model, "ml-1m", config_dict=given | {"eval_step": 2})["eval_step"] == 2
    assert DecRSConfig(model, "ml-100k")["eval_step"] == 1
    assert DecRSConfig(model.replace("NFM", "FM"), "ml-1m", config_dict=given)["eval_step"] == 1
    for name in ("ml-1m-NFM", "NFM-ml-1m"):  # these are datasets like others
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.inter").write_text("user_id:token\titem_id:token\ttimestamp:float\na\tb\t1\n")
        config = DecRSConfig(model, name, config_dict={"data_path": str(tmp_path)})
        assert (config["eval_step"], config["load_col"]["inter"][-1]) == (1, "timestamp")


@pytest.mark.parametrize("value", ["none", "", None])
def test_no_model_and_no_dataset_are_the_defaults(value):
    config = DecRSConfig(config_dict={"model": value, "dataset": value})
    assert (config["model"], config["dataset"]) == ("DecFM", "ml-100k")


def test_unload_col_by_itself_loads_the_others():
    config = DecRSConfig(config_dict={"unload_col": {"inter": ["rating"]}})
    assert config["load_col"] is None


@pytest.mark.parametrize("key", ["MODEL_TYPE", "MODEL_INPUT_TYPE", "device", "eval_type"])
def test_what_follows_from_other_settings_is_not_set(settings, key):
    with pytest.raises(DecRSError, match=f"{key} is not to be set: it follows from"):
        DecRSConfig("BPR", "tiny", config_dict=settings | {key: "cpu"})
