import pytest

from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from tiny_data import tiny_tables, write_tables


def test_own_data_without_yaml_loads_ids_rating_time_and_groups(tmp_path):
    (tmp_path / "data" / "mine").mkdir(parents=True)
    config = DecRSConfig(
        dataset="mine", config_dict={"data_path": "data", "group_field": "kind", "ITEM_ID_FIELD": "isbn"}
    )
    assert config["load_col"] == {"inter": ["user_id", "isbn", "rating", "timestamp"], "item": ["isbn", "kind"]}


@pytest.mark.parametrize("model", ["BPR", "DecFM"])
def test_files_that_are_split_may_lack_the_columns_that_chose_their_clicks(tmp_path, model):
    """As the paper's split of ML-1M does, whose whole file has ratings, which the plugin's YAML of it names."""
    tables = tiny_tables()
    inter = tables["inter"].drop(columns="rating:float")
    parts = {
        f"{name}.inter": inter[inter.index % 12 // 4 == place] for place, name in enumerate(("train", "valid", "test"))
    }
    user = tables["user"][["user_id:token"]].assign(
        **{f"{name}:token": "a" for name in ("age", "gender", "occupation")}
    )
    whole = {**parts, "user": user.assign(**{"zip_code:token": "z"}), "item": tables["item"]}
    write_tables(tmp_path / "data", whole, "ml-1m")
    config = DecRSConfig(
        model,
        "ml-1m",
        config_dict={"data_path": str(tmp_path / "data"), "benchmark_filename": ["train", "valid", "test"]},
    )
    train_data, *_ = data_preparation(config, create_dataset(config))
    assert train_data._dataset.field2type.keys() >= {"user_id", "item_id", "timestamp", "genre", "age"}
    assert "rating" not in train_data._dataset.field2type


@pytest.mark.parametrize("field", ["rating", "label", "user_id"])
@pytest.mark.parametrize("model", ["BPR", "DecFM"])
def test_groups_that_are_called_as_a_column_of_the_clicks_are_read_and_are_no_feature(tmp_path, caplog, model, field):
    tables = tiny_tables()
    tables["item"] = tables["item"][["item_id:token"]].assign(**{f"{field}:token": ["PG", "R", "G"] * 10})
    write_tables(tmp_path / "data", tables, "mine")
    config = DecRSConfig(model, "mine", config_dict={"data_path": str(tmp_path / "data"), "group_field": field})
    part = data_preparation(config, create_dataset(config))[0].dataset
    assert sorted(part.confounder.group_names) == ["G", "PG", "R"]
    assert set(part.item_feat.columns) == {"item_id"}
    assert "so it is read as the groups, and is no feature of the model" in caplog.text
