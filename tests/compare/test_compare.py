import errno
import json
import logging
from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch

from kills import Killed, killed_at
from recbole_decrs import DecRSError, run_recbole_decrs
from recbole_decrs.checkpoint_file import read_checkpoint, write_checkpoint
from recbole_decrs.cli import main
from recbole_decrs.compare import experiment, run_comparison
from recbole_decrs.compare import run as run_module
from recbole_decrs.compare.methods import METHODS, reranker_weights
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.tables import holm
from recbole_decrs.single_trainer import SingleTrainer
from tiny_data import SHORT_SEQUENCES, tiny_settings, tiny_tables, write_tables

pytestmark = pytest.mark.slow
TABLES = ("table3.csv", "table3-tests.csv", "table4.csv", "table5.csv", "tradeoff.csv", "figure1b.csv", "table3.md")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = write_tables(tmp_path_factory.mktemp("compare"), tiny_tables(n_users=30, n_items=40, n_clicks=20))
    return tiny_settings(folder, drift_alpha_grid=[0.2, 1.0], epochs=2)


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """The comparison of everything over FM, with two seeds."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        results = run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=tiny)
    return results, folder / "out"


def frames(folder):
    return {name: (folder / name).read_text() for name in TABLES}


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
        assert weights == sorted(weights) == list(reranker_weights(name))
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


@pytest.mark.parametrize("writes", [1, 9, 30])
def test_killed_and_restarted_it_gives_the_same(whole, tiny, writes):
    _, folder = whole
    written = []
    write = Pieces.write

    def killed(self, path, *content):
        if len(written) == writes:
            raise KeyboardInterrupt
        written.append(path)
        write(self, path, *content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pieces, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=tiny)
    kept = {path: path.stat().st_mtime_ns for path in written}
    broken = written[-1]
    for path in (broken, broken.with_suffix(".pth")):
        if path.exists():
            path.write_bytes(path.read_bytes()[:50])
    run_comparison(["FM"], "tiny", "all", 2, "out", config_dict=tiny)
    assert frames(Path("out")) == frames(folder)
    for path, time in kept.items():
        assert (path.stat().st_mtime_ns == time) == (path != broken)


def test_killed_inside_a_training_it_goes_on_from_the_last_epoch(tiny, monkeypatch):
    """Killed at every second checkpoint, again and again, it gives the same; each kill costs one epoch at most."""
    settings, epochs = tiny | {"epochs": 4, "stopping_step": 9}, []
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "undisturbed", config_dict=settings)
    train_epoch = SingleTrainer._train_epoch

    def counting(self, train_data, epoch, *others, **more):
        loss = train_epoch(self, train_data, epoch, *others, **more)
        epochs.append((self.saved_model_file, epoch))
        return loss

    monkeypatch.setattr(SingleTrainer, "_train_epoch", counting)
    kills = 0
    while kills < 30:
        with monkeypatch.context() as patch:
            killed_at(patch, 2, before=True)
            try:
                run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "killed", config_dict=settings)
                break
            except Killed:
                kills += 1
    assert 3 < kills < 30
    assert sum(count - 1 for count in Counter(epochs).values()) <= kills
    for name in ("table3.csv", "table4.csv", "table3.md"):
        assert Path("killed", name).read_text() == Path("undisturbed", name).read_text()
    assert not list(Path("killed").rglob("*-last.pth"))
    damaged = next(Path("killed", "pieces").glob("*backbone*.trained"))
    damaged.unlink()
    checkpoint = damaged.with_suffix(".pth")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "killed", config_dict=settings)
    assert Path("killed", "table3.csv").read_text() == Path("undisturbed", "table3.csv").read_text()


def test_other_settings_are_not_served_old_pieces(whole, tiny):
    results, _ = whole
    few = run_comparison(["FM"], "tiny", ["calibration"], [2020], "out", config_dict=tiny)
    again = run_comparison(["FM"], "tiny", ["calibration"], [2020], "out", config_dict=tiny | {"learning_rate": 0.01})
    key = ("FM", "calibration", 2020)
    assert few.outcomes[key].info["test"] == results.outcomes[key].info["test"] != again.outcomes[key].info["test"]


def test_a_general_recommender_and_lists_made_elsewhere(tiny, caplog):
    """EASE has no twin; its own list, read from a file, has its own numbers."""
    run = run_recbole_decrs("EASE", "tiny", config_dict=tiny | {"save_topk": 10})
    (path,) = Path("saved").glob("*-top10.csv")
    short = pd.read_csv(path, dtype=str)
    short = short[short["user_id"] != short["user_id"].iloc[0]]
    short.loc[short.index[0], "item_id"] = "unheard of"
    clicked = tiny_tables(n_users=30, n_items=40, n_clicks=20)["inter"]
    user = short["user_id"].iloc[11]
    short.loc[short.index[11], "item_id"] = clicked[clicked["user_id:token"] == user]["item_id:token"].iloc[0]
    short = short.iloc[:-1]
    short.to_csv("short.csv", index=False)
    with caplog.at_level(logging.WARNING):
        lists = {"mine": str(path), "short": "short.csv"}
        results = run_comparison(["EASE"], "tiny", "all", 1, "out", lists, config_dict=tiny)
    assert "DecRS is left out for EASE: there is no DecEASE" in caplog.text
    assert "Ensemble is left out for EASE: EASE learns no embeddings" in caplog.text
    assert "1 test users have no list" in caplog.text
    assert "1 test users have lists of fewer than 10 items" in caplog.text
    assert "1 listed items are not in the dataset" in caplog.text
    assert "1 listed items were clicked by their user before" in caplog.text
    assert set(pd.read_csv("out/table4.csv")["method"]) >= {"mine", "short"}
    assert results.methods == {"EASE": ["backbone", "fairco", "calibration", "diversity"]}
    assert results.lists["mine"].info["test"] == results.outcomes["EASE", "backbone", 2020].info["test"]
    assert run["test_result"] == results.outcomes["EASE", "backbone", 2020].info["test"]
    assert results.lists["short"].info["test"]["recall@10"] <= results.lists["mine"].info["test"]["recall@10"]
    assert "| mine " in Path("out/table3.md").read_text()
    assert not Path("out/table4.md").exists()


def test_a_late_fused_twin_is_that_of_a_single_run(tiny):
    results = run_comparison("BPR", "tiny", ["decrs", "decrs_wo"], 1, "out", config_dict=tiny)
    run = run_recbole_decrs("DecBPR", "tiny", config_dict=tiny | {"drift_alpha": "auto"})
    assert results.outcomes["BPR", "decrs", 2020].info["test"] == run["test_result"]
    assert results.outcomes["BPR", "decrs_wo", 2020].info["test"] == run["deconfounded_test_result"]


def test_a_sequential_model_and_lists_made_elsewhere(tiny):
    tiny = tiny | SHORT_SEQUENCES
    run = run_recbole_decrs("SASRec", "tiny", config_dict=tiny | {"save_topk": 10})
    lists = Path(run["saved_model_file"]).with_name(Path(run["saved_model_file"]).stem + "-top10.csv")
    results = run_comparison(["SASRec"], "tiny", "all", [2020], "out", {"SASRec alone": str(lists)}, config_dict=tiny)
    assert results.methods["SASRec"] == [
        *("backbone", "fairco", "calibration", "diversity", "decrs_wo", "decrs_product", "decrs"),
        *("ensemble", "constant", "shuffled", "confounded", "free"),
    ]
    assert results.lists["SASRec alone"].info["test"] == pytest.approx(run["test_result"])
    twin = run_recbole_decrs("DecSASRec", "tiny", config_dict=tiny | {"drift_alpha": "auto"})
    assert twin["test_result"] == results.outcomes["SASRec", "decrs", 2020].info["test"]
    assert twin["conventional_test_result"] == results.outcomes["SASRec", "backbone", 2020].info["test"]
    split = {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}}}
    with pytest.raises(DecRSError, match="SASRec makes one before each evaluated click; take split"):
        run_comparison(["SASRec"], "tiny", "all", 1, "out", config_dict=tiny | split)


def test_backbones_are_tested_on_the_same_clicks(tiny, caplog):
    with pytest.raises(DecRSError, match="BPR and SASRec would be tested on other clicks"):
        run_comparison(["BPR", "SASRec"], "tiny", ["calibration"], 1, "out", config_dict=tiny)
    same = tiny | SHORT_SEQUENCES | {"eval_args": {"split": {"LS": "valid_and_test"}}}
    with caplog.at_level(logging.WARNING):
        results = run_comparison(["BPR", "SASRec"], "tiny", ["calibration"], 1, "out", config_dict=same)
    assert "SASRec may recommend what a user has clicked before" in caplog.text
    assert set(results.methods) == {"BPR", "SASRec"}


def test_without_matplotlib(tiny, monkeypatch, caplog):
    find_spec = run_module.importlib.util.find_spec
    monkeypatch.setattr(
        run_module.importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name)
    )
    run_comparison(["FM"], "tiny", ["calibration"], 1, "out", config_dict=tiny)
    assert "no figure is drawn" in caplog.text
    assert Path("out/figure4.csv").exists()
    assert not list(Path("out").glob("*.png"))


def test_a_training_that_fails_leaves_the_others(tiny, monkeypatch, caplog):
    from recbole_decrs.compare.models import Models

    train = Models.train

    def fail(self, model):
        if "wide" in model.name or "ips_user-2" in model.name:
            raise DecRSError("the training loss is not a number any more")
        return train(self, model)

    monkeypatch.setattr(Models, "train", fail)
    results = run_comparison(["FM"], "tiny", ["wide", "ips_user", "decrs"], 1, "out", config_dict=tiny)
    assert results.methods["FM"] == ["backbone", "ips_user", "decrs"]
    assert "not a number" in caplog.text
    left_out = json.loads(Path("out/run.json").read_text())["left_out"]
    assert left_out["FM-2020-wide"] == left_out["FM-2020-ips_user-2"] == "the training loss is not a number any more"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods=calibraton"], "no method calibraton; did you mean calibration?"),
        (["--backbones=FMM"], "no model named FMM; did you mean"),
        (["--backbones=DecFM"], "name the conventional FM"),
        (["--model=FM"], "takes no --model; did you mean --backbones?"),
        (["--method=fairco"], "takes no --method; did you mean --methods?"),
        (["--seed=3"], "takes no --seed; did you mean --seeds?"),
        (["--out=x"], "takes no --out; did you mean --output?"),
        (["--folder=x"], "takes no --folder; it takes --backbones, --methods, --seeds, --output, --lists,"),
        (["--users=100"], "takes no --users; it takes"),
        (["--seeds=no"], "seeds must be"),
        (["--seeds=0"], "seeds must be"),
        (["--seeds=[4294967290]"], "seeds must be"),
        (["--backbones=,"], "backbones names no model"),
        (["--epochs=0"], "epochs and eval_step must be at least 1"),
        (["--backdoor_operator=product"], "leave backdoor_operator out"),
        (["--confounder_prior=learned"], "leave confounder_prior out"),
        (["--unused_col={'item': ['genre']}"], "unawareness leaves it out by itself"),
        (["--metrics=['Recall','NDCG','CKL','GAUC']"], "GAUC ranks all items"),
        (["--lists=a|b=a.csv"], "NAME=file.csv"),
        (["--lists=FM=a.csv"], "is taken"),
        (["--lists=a.csv"], "NAME=file.csv"),
        (["--lists=decrs=a.csv"], "is taken"),
        (["--reranker=fairco"], "leave reranker out"),
        (["--drift_alpha=0.3"], "leave it out"),
        (["--drift_history=train+valid"], "set drift_history: train"),
        (["--metrics=['Recall']"], "need NDCG"),
        (["--group_field="], "group_field"),
    ],
)
def test_one_sentence_for_what_cannot_be_used(tiny, capsys, arguments, message):
    typed = [f"--{key}={value}" for key, value in tiny.items() if key not in ("data_path", "topk")]
    data = [f"--data_path={tiny['data_path']}", "--topk=[5,10]"]
    given = {argument.partition("=")[0] for argument in arguments}
    typed = [argument for argument in typed if argument.partition("=")[0] not in given]
    assert main(["compare", "--dataset=tiny", *typed, *data, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not Path("results").exists()


INTER = ["user_id", "item_id", "timestamp"]


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
    monkeypatch.setattr(experiment, "CONSTANT_WEIGHTS", (0.0,))
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "uni15"}
    settings = tiny | {"eval_args": eval_args}
    results = run_comparison(["FM"], "tiny", ["constant"], 1, "out", config_dict=settings)
    backbone, fused = (results.outcomes["FM", name, 2020].info["test"] for name in ("backbone", "constant"))
    assert fused == backbone
    Path("a.csv").write_text("user_id,item_id,rank\nu1,i1,1\n")
    with pytest.raises(DecRSError, match="samples the candidates"):
        run_comparison(["FM"], "tiny", ["constant"], 1, "out", {"a": "a.csv"}, config_dict=settings)


def test_lists_from_python(tiny):
    for lists, message in (
        ({"FM": "a.csv"}, "the name FM is taken"),
        ({"DecRS": "a.csv"}, "the name DecRS is taken"),
        ({"a": "a.csv", "A": "a.csv"}, "the name A is taken"),
        (["a.csv"], "lists must be CSV files by the names"),
    ):
        with pytest.raises(DecRSError, match=message):
            run_comparison(["FM"], "tiny", ["decrs"], 1, lists=lists, config_dict=tiny)


def test_old_outputs_do_not_stay(tiny):
    run_comparison("FM", "tiny", ["decrs", "decrs_product"], 1, "out", config_dict=tiny)
    assert Path("out/table5.md").exists()
    Path("out/run.json").unlink()
    run_comparison("NGCF", "tiny", "fairco", 1, "out", config_dict=tiny)
    assert not Path("out/table5.md").exists()
    assert not Path("out/table4.md").exists()


def test_what_the_system_refuses_is_one_sentence(tiny, capsys):
    Path("out").mkdir()
    Path("out/pieces").write_text("")
    typed = [f"--{key}={value}" for key, value in tiny.items()]
    assert main(["compare", "--dataset=tiny", "--backbones=BPR", "--output=out", *typed]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_without_ratings_or_with_many(tmp_path):
    tables = tiny_tables()
    tables["inter"]["rating:float"] += np.random.default_rng(0).uniform(size=len(tables["inter"]))
    chosen = tiny_settings(write_tables(tmp_path / "data", tables), drift_alpha_grid=[0.2])
    run_comparison("FM", "tiny", "decrs", 1, "many", config_dict=chosen)
    assert pd.read_csv("many/figure1b.csv")["rating"].nunique() <= 5
    del tables["inter"]["rating:float"]
    load_col = {**chosen["load_col"], "inter": INTER}
    chosen = tiny_settings(write_tables(tmp_path / "data", tables), drift_alpha_grid=[0.2], load_col=load_col)
    run_comparison("FM", "tiny", "decrs", 1, "none", config_dict=chosen)
    assert not Path("none/figure1b.csv").exists()


def test_a_disk_that_is_full_while_a_piece_is_written(settings, monkeypatch):
    def fail(*arguments, **others):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("recbole_decrs.compare.pieces.np.savez_compressed", fail)
        with pytest.raises(DecRSError, match="No space left on device: out/pieces/FM-"):
            run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings | {"epochs": 1})
    assert not list(Path("out").rglob("*.tmp"))


def test_figures_are_those_of_matplotlib_whatever_a_folder_says(settings):
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = Path("out/tradeoff.png").read_bytes()
    with matplotlib.rc_context({"text.usetex": True, "savefig.format": "pdf", "axes.facecolor": "red"}):
        run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert Path("out/tradeoff.png").read_bytes() == before


def test_tables_of_before_stay_until_the_new_ones_are_whole(settings, monkeypatch):
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = {path.name: path.read_bytes() for path in Path("out").iterdir() if path.is_file()}

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "out/tradeoff.png")

    monkeypatch.setattr(run_module, "_write_figures", fail)
    with pytest.raises(DecRSError, match="No space left"):
        run_comparison(["FM"], "tiny", ["decrs_wo", "decrs"], 1, "out", config_dict=settings)
    assert {path.name: path.read_bytes() for path in Path("out").iterdir() if path.is_file()} == before
    assert not list(Path("out").rglob("*.tmp"))


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


def test_a_model_that_turns_out_to_be_damaged_is_trained_again(settings, caplog):
    """Its parts are all there, and one is not of this model; the figure of shares needs it."""
    settings |= {"epochs": 1}
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    before = {path.name: path.read_bytes() for path in Path("out").glob("*.csv")}
    (path,) = Path("out/pieces").glob("FM-2020-backbone-*.pth")
    content = read_checkpoint(str(path))
    name = next(iter(content["state_dict"]))
    write_checkpoint(str(path), content | {"state_dict": content["state_dict"] | {name: torch.zeros(2)}})
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    assert {path.name: path.read_bytes() for path in Path("out").glob("*.csv")} == before
    assert "FM-2020-backbone is trained anew" in caplog.text
    assert torch.equal(read_checkpoint(str(path))["state_dict"][name], content["state_dict"][name])
