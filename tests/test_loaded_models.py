from pathlib import Path

import pytest
import torch

from recbole_decrs import DecRSError, FusedRecommender, load_data_and_model, run_recbole_decrs
from tiny_data import SHORT_SEQUENCES, tiny_tables, write_tables
from trainers import evaluate_again


@pytest.mark.parametrize(
    "settings_of_fusion", [{"drift_alpha": "auto"}, {"fusion_weight": 0.5}, {"fusion_on": "logit"}]
)
def test_ways_of_fusing_survive_the_checkpoint(settings, settings_of_fusion):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | settings_of_fusion | {"learning_rate": 0.5})
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_a_model_that_was_fine_tuned_needs_its_pre_training_no_more(settings):
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "genre"]}
    sizes = {"hidden_size": 8, "inner_size": 8, "n_layers": 1, **SHORT_SEQUENCES}
    settings |= {"item_attribute": "genre", "load_col": columns, "numerical_features": [], "pretrain_epochs": 1}
    settings |= {"epochs": 1, "save_step": 1, **sizes}
    run_recbole_decrs("S3Rec", "tiny", config_dict=settings)
    (before,) = Path("saved").glob("S3Rec-tiny-*.pth")
    tuning = {"train_stage": "finetune", "pre_model_path": str(before)}
    result = run_recbole_decrs("S3Rec", "tiny", config_dict=settings | tuning)
    before.unlink()
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_a_model_that_was_distilled_needs_its_teacher_no_more(settings):
    settings |= {"epochs": 1}
    teacher = run_recbole_decrs("KD_DAGFM", "tiny", config_dict=settings)["saved_model_file"]
    result = run_recbole_decrs("KD_DAGFM", "tiny", config_dict=settings | {"phase": "distillation", "warm_up": teacher})
    Path(teacher).unlink()
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_a_checkpoint_for_other_data(tmp_path, settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    write_tables(tmp_path / "data", tiny_tables(seed=1))
    with pytest.raises(DecRSError, match="was made for other data: its users, items, groups or training clicks"):
        load_data_and_model(result["saved_model_file"])


def test_a_checkpoint_whose_data_moved(tmp_path, settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(DecRSError, match="there is no folder dataset/tiny"):
        load_data_and_model(result["saved_model_file"])
    model = load_data_and_model(result["saved_model_file"], {"data_path": str(tmp_path / "moved")})[1]
    assert isinstance(model, FusedRecommender)


def test_other_groups_than_at_training(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    with pytest.raises(DecRSError, match="was made for other item groups"):
        load_data_and_model(result["saved_model_file"], {"group_field": "weights"})


def test_another_alpha_for_a_loaded_model(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    model, train_data = (load_data_and_model(result["saved_model_file"], {"drift_alpha": 3})[place] for place in (1, 3))
    expected = torch.as_tensor(train_data.dataset.confounder.normalized_drift(3), dtype=torch.float32)
    torch.testing.assert_close(model.weight, expected)


def test_a_run_on_a_reused_backbone_does_not_need_it_again(settings):
    backbone = run_recbole_decrs("FM", "tiny", config_dict=settings)["saved_model_file"]
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings | {"backbone_checkpoint": backbone})
    Path(backbone).unlink()
    assert evaluate_again(result["saved_model_file"]) == result["test_result"]


def test_kept_embeddings_are_forgotten_when_parameters_are_loaded(settings):
    """A graph model that does not name what it keeps would be tested on its last epoch, not its best."""
    from recbole.model.general_recommender.lightgcn import LightGCN

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LightGCN, "other_parameter", lambda self: {})
        changed = {"epochs": 6, "stopping_step": 5, "learning_rate": 0.5, "valid_metric": "NDCG@10"}
        result = run_recbole_decrs("LightGCN", "tiny", config_dict=settings | changed)
        assert evaluate_again(result["saved_model_file"]) == result["test_result"]


@pytest.mark.parametrize(("model", "others"), [("DecFM", ["FM", "DecNFM", 5]), ("BPR", ["LightGCN", "DecBPR"])])
def test_a_checkpoint_of_another_model(settings, model, others):
    """LightGCN has parameters of the same names and shapes as BPR."""
    path = run_recbole_decrs(model, "tiny", config_dict=settings | {"epochs": 1})["saved_model_file"]
    for other in others:
        with pytest.raises(DecRSError, match=f"^model: {path} holds a {model}, not a {other}; leave model out$"):
            load_data_and_model(path, {"model": other})
    assert load_data_and_model(path, {"model": model})[0]["model"] == model


@pytest.mark.parametrize(("model", "n_trainings"), [("FM", 1), ("DecFM", 2), ("EASE", 1)])
def test_a_run_reads_its_checkpoint_to_load_the_best_epoch_of_each_training(settings, reads, model, n_trainings):
    settings |= {"epochs": 3, "reranker": "calibration", "reranker_lambda": 0.5}
    path = run_recbole_decrs(model, "tiny", config_dict=settings)["saved_model_file"]
    assert reads == [path] * n_trainings
    reads.clear()
    run_recbole_decrs(model, "tiny", config_dict=settings | {"resume": path})  # at its end
    assert reads == [path]
