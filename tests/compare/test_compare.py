"""The numbers of a comparison: of every method, and that they are those of the settings and data at hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.compare import METHODS, run_comparison, weights
from recbole_decrs.compare.methods import PARTNER
from recbole_decrs.compare.models import Models
from recbole_decrs.compare.reranking import curve_weights
from recbole_decrs.compare.significance import holm
from recbole_decrs.tables import cells_of
from tiny_data import tiny_settings, tiny_tables, write_tables

pytestmark = pytest.mark.slow
INTER = ["user_id", "item_id", "timestamp"]


def test_every_method_is_there_and_written(whole):
    results, folder = whole
    assert results.methods == {"FM": list(METHODS)}
    table = pd.read_csv(folder / "table3.csv")
    assert set(table["method"]) == set(METHODS)
    assert (table["seeds"] == 2).all()
    assert table.groupby("metric")["best"].sum().ge(1).all()
    for name in ("table4.md", "table5.md", "figure4.png", "figure5.png", "tradeoff.png", "figure1b.png", "run.json"):
        assert (folder / name).stat().st_size > 100, name
    record = json.loads((folder / "run.json").read_text())
    assert record["seeds"] == [2020, 2021]
    assert str(folder.parent.parent) not in json.dumps(record["config"])


def test_numbers_are_those_of_single_runs(whole, tiny):
    """What the command prints for a method by itself is what the table says."""
    results, _ = whole
    decrs = results.outcomes["FM", "decrs", 2021]
    run = run_recbole_decrs("DecFM", "tiny", config_dict=tiny | {"seed": 2021, "drift_alpha": "auto"})
    assert run["drift_alpha"] == decrs.info["chosen"]
    assert run["test_result"] == decrs.info["test"]
    assert run["deconfounded_test_result"] == results.outcomes["FM", "decrs_wo", 2021].info["test"]
    assert run["conventional_test_result"] == results.outcomes["FM", "backbone", 2021].info["test"]
    for name in ("calibration", "diversity", "fairco"):
        outcome = results.outcomes["FM", name, 2020]
        settings = {"reranker": name, "reranker_lambda": outcome.info["chosen"]}
        run = run_recbole_decrs("FM", "tiny", config_dict=tiny | settings)
        assert run["test_result"] == outcome.info["test"], name
        valid = dict(outcome.info["valid_scores"])
        assert run["best_valid_score"] == pytest.approx(valid[outcome.info["chosen"]], abs=1e-6)
    for name, settings in {
        "unawareness": {"unused_col": {"item": ["genre"]}},
        "wide": {"embedding_size": 16},
        "ips_item": {"ips": "item", "ips_floor": results.outcomes["FM", "ips_item", 2020].info["chosen"]},
        "ips_user": {"ips": "user", "ips_cap": results.outcomes["FM", "ips_user", 2020].info["chosen"]},
    }.items():
        run = run_recbole_decrs("FM", "tiny", config_dict=tiny | settings)
        assert run["test_result"] == results.outcomes["FM", name, 2020].info["test"], name
    for name, prior in {"confounded": "user", "free": "learned"}.items():
        outcome = results.outcomes["FM", name, 2020]
        settings = {"confounder_prior": prior, "drift_alpha": outcome.info["chosen"]}
        run = run_recbole_decrs("DecFM", "tiny", config_dict=tiny | settings)
        assert run["test_result"] == outcome.info["test"], name
    outcome = results.outcomes["FM", "constant", 2020]
    run = run_recbole_decrs("DecFM", "tiny", config_dict=tiny | {"fusion_weight": outcome.info["chosen"]})
    assert run["test_result"] == outcome.info["test"]


def test_the_values_per_user_have_the_mean_of_the_table(whole):
    results, _ = whole
    for (_, name, _), outcome in results.outcomes.items():
        for metric, value in outcome.info["test"].items():
            assert np.nanmean(outcome.by_user[metric]) == pytest.approx(value, abs=1e-6), (name, metric)


def test_curves_and_choices(whole):
    results, _ = whole
    for name in ("calibration", "diversity", "fairco"):
        outcome = results.outcomes["FM", name, 2020]
        scores = dict(outcome.info["valid_scores"])
        assert scores[outcome.info["chosen"]] == max(scores.values())
        weights = [weight for weight, _ in outcome.info["curve"]]
        assert weights == sorted(weights) == list(curve_weights(name))
        assert max(weights) == 0.99
        assert max(scores) == (0.2 if name == "diversity" else 0.5)
        curve = dict(map(tuple, outcome.info["curve"]))
        assert curve[outcome.info["chosen"]] == outcome.info["test"]
    calibration = results.outcomes["FM", "calibration", 2020].info["curve"]
    assert calibration[-1][1]["ckl@10"] < calibration[0][1]["ckl@10"]


def test_tests_are_corrected_over_all_rows(whole):
    _, folder = whole
    tests = pd.read_csv(folder / "table3-tests.csv")
    assert set(tests["against"]) == {"backbone", "best competitor", "ensemble"}
    assert len(tests) == 3 * 6
    np.testing.assert_allclose(tests["p_holm"], holm(tests["p"].tolist()), rtol=1e-4)
    text = (folder / "table3.md").read_text()
    assert "Holm over the 18 p-values of this table" in text
    assert "Only 2 seeds" in text


def test_the_best_competitor_is_that_of_validation(whole):
    results, folder = whole
    tests = pd.read_csv(folder / "table3-tests.csv")
    (best,) = set(tests[tests["against"] == "best competitor"]["method"])
    scores = {
        name: np.mean([max(score for _, score in outcome.info["valid_scores"]) for outcome in found])
        for name in METHODS
        if METHODS[name].role == "competitor"
        for found in [results.all_seeds("FM", name)]
    }
    assert results.chosen_by == {"FM": ("recall@10", True)}
    assert scores[best] == max(scores.values())


def test_other_settings_are_not_served_old_pieces(whole, tiny):
    results, _ = whole
    few = run_comparison(["FM"], "tiny", ["calibration"], [2020], "out", config_dict=tiny)
    again = run_comparison(["FM"], "tiny", ["calibration"], [2020], "out", config_dict=tiny | {"learning_rate": 0.01})
    key = ("FM", "calibration", 2020)
    assert few.outcomes[key].info["test"] == results.outcomes[key].info["test"] != again.outcomes[key].info["test"]


def test_other_groups_are_not_served_old_pieces(tmp_path):
    """The groups are no feature of BPR, and its C_KL depends on them."""
    tables = tiny_tables()
    found = []
    for _ in range(2):
        chosen = tiny_settings(
            write_tables(tmp_path / "data", tables), load_col={"inter": INTER}, numerical_features=[]
        )
        results = run_comparison(["BPR"], "tiny", ["fairco"], 1, "out", config_dict=chosen)
        found.append(results.outcomes["BPR", "backbone", 2020].info["test"])
        tables["item"]["genre:token_seq"] = tables["item"]["genre:token_seq"].to_numpy()[::-1]
    assert found[0]["recall@10"] == found[1]["recall@10"]
    assert found[0]["ckl@10"] != found[1]["ckl@10"]


def test_sampled_candidates_are_the_same_for_all(tiny, monkeypatch):
    """DecRS without any weight is the backbone itself, on the same sampled items."""
    monkeypatch.setattr(weights, "CONSTANT_WEIGHTS", (0.0,))
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "uni15"}
    settings = tiny | {"eval_args": eval_args}
    results = run_comparison(["FM"], "tiny", ["constant"], 1, "out", config_dict=settings)
    backbone, fused = (results.outcomes["FM", name, 2020].info["test"] for name in ("backbone", "constant"))
    assert fused == backbone
    Path("a.csv").write_text("user_id,item_id,rank\nu1,i1,1\n")
    with pytest.raises(DecRSError, match="samples the candidates"):
        run_comparison(["FM"], "tiny", ["constant"], 1, "out", {"a": "a.csv"}, config_dict=settings)


def test_threads_are_those_that_have_computed(settings, monkeypatch, caplog):
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert json.loads(Path("out/run.json").read_text())["threads"] == torch.get_num_threads() == 1
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert json.loads(Path("out/run.json").read_text())["threads"] == 1
    run_comparison(["FM"], "tiny", ["decrs_wo", "decrs"], 1, "out", config_dict=settings)
    assert json.loads(Path("out/run.json").read_text())["threads"] == [1, 2]
    assert "the pieces were made with 1 and 2 threads" in caplog.text


def test_a_key_of_what_comes_after_training_trains_no_model_anew(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = {"test_candidates": "untrained", "drift_alpha_grid": [3.0], "drift_thresholds": [1]}

    def compared(output, **settings):
        return run_comparison(["FM"], "tiny", ["decrs", "calibration"], 1, output, config_dict=tiny | settings).outcomes

    first = compared("out")
    fresh = compared("fresh", **keys)
    with monkeypatch.context() as patch:
        patch.setattr(Models, "train", lambda *arguments: pytest.fail("a model is trained again"))
        again = compared("out", **keys)
    assert again.keys() == first.keys() == fresh.keys()
    for key, outcome in again.items():
        assert outcome.info["test"] == fresh[key].info["test"] != first[key].info["test"]


def test_the_drift_of_validation_clicks_chooses_nothing(tiny, tmp_path, monkeypatch):
    """With ``train+valid``, alpha is chosen by the drift of ``train``, and the models are those of before."""
    monkeypatch.chdir(tmp_path)

    def compared(**settings):
        outcomes = run_comparison(["FM"], "tiny", ["decrs", "shuffled"], 1, "out", config_dict=tiny | settings).outcomes
        return {name: outcome.info for (_, name, _), outcome in outcomes.items()}

    before = compared()
    monkeypatch.setattr(Models, "train", lambda *arguments: pytest.fail("a model is trained again"))
    both = compared(drift_history="train+valid")
    for name in ("decrs", "shuffled"):
        assert both[name]["valid_scores"] == before[name]["valid_scores"]
        assert both[name]["test"] != before[name]["test"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    settings = tiny | {"drift_history": "train+valid", "drift_alpha": both["decrs"]["chosen"]}
    assert run_recbole_decrs("DecFM", "tiny", config_dict=settings)["test_result"] == both["decrs"]["test"]


def test_another_seed_is_the_second_model_of_the_ensemble(whole, tiny):
    results, _ = whole
    run = run_recbole_decrs("FM", "tiny", config_dict=tiny | {"seed": 2020 + PARTNER})
    assert run["test_result"] == results.outcomes["FM", "other_seed", 2020].info["test"]


def test_two_conventional_models_by_one_weight(whole):
    """With the weight 0 it is the backbone, with 1 the other seed; validation takes the best of all."""
    results, _ = whole
    for seed in results.seeds:
        info = results.outcomes["FM", "ensemble_constant", seed].info
        scores = dict(info["valid_scores"])
        assert list(scores) == pytest.approx(np.linspace(0, 1, 21))
        assert info["chosen"] == max(scores, key=scores.get)
        for weight, other in ((0.0, "backbone"), (1.0, "other_seed")):
            if info["chosen"] == weight:
                assert info["test"] == results.outcomes["FM", other, seed].info["test"]
        assert scores[1.0] == dict(results.outcomes["FM", "other_seed", seed].info["valid_scores"])[None]


def test_equal_weights_are_the_middle_of_constant_ones(whole):
    results, _ = whole
    for seed in results.seeds:
        for equal, constant in (("ensemble_equal", "ensemble_constant"), ("equal", "constant")):
            info, of_constant = (results.outcomes["FM", name, seed].info for name in (equal, constant))
            assert info["chosen"] == 0.5
            assert info["valid_scores"] == [[0.5, dict(of_constant["valid_scores"])[0.5]]]
            if of_constant["chosen"] == 0.5:
                assert info["test"] == of_constant["test"]
    table = (whole[1] / "table3.md").read_text().split("\n\n")[0]
    last_cells = {row[0]: row[-1] for row in map(cells_of, table.split("\n"))}
    assert last_cells["DecRS, equal weights"] == last_cells["Ensemble, equal weights"] == ""
