"""The tables of the pages of results/ml-1m are those of the files beside them."""

import importlib.util
import itertools
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from recbole_decrs.cli import main
from recbole_decrs.report.comparison.of_folder import results_of_folder
from write_results import FOLDER, PAGES, TABLES, with_tables

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in PAGES}


@pytest.mark.parametrize("page", TEXTS)
def test_the_tables_are_those_of_the_csv_files(page):
    assert TEXTS[page] == with_tables(TEXTS[page]), "python docs/write_results.py writes them"


def test_each_kind_of_table_is_on_a_page():
    assert all(any(f"<!-- {name} " in text for text in TEXTS.values()) for name in TABLES)


def test_a_table_that_is_changed_by_hand_is_written_again():
    text = TEXTS["README.md"]
    assert "| 0.12" in text
    assert with_tables(text.replace("| 0.12", "| 0.99")) == text


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)", TEXTS[page])
    assert [link for link in links if "://" not in link and not (FOLDER / link).exists()] == []


def test_ranges_go_from_the_least_to_the_most_of_the_seeds(tmp_path, monkeypatch):
    rows = ["backbone,method,seed,in_m,ckl@20,changed", "FM,free,1,as it ranks,0.4,0", "FM,free,1,no M: zeros,0.1,0.2"]
    for seed, ranked, uniform, changed in ((1, 0.4, 0.5, 0.075), (2, 0.4, 0.3, 0.075)):
        rows += [f"FM,decrs,{seed},as it ranks,{ranked},0", f"FM,decrs,{seed},uniform,{uniform},{changed}"]
    (tmp_path / "mechanism.csv").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setattr("write_results.FOLDER", tmp_path)
    assert re.search(r"\| DecFM +\| 2 +\| +\| -0\.1000 to \+0\.1000 +\|", TABLES["ranges"](".", "ckl@20"))
    changed = TABLES["ranges"](".", "changed")
    assert re.search(r"\| DecFM +\| 2 +\| +\| 7\.5 +\|", changed)
    assert re.search(r"\| the free vector over FM +\| 1 +\| 20\.0 +\| +\|", changed)


def test_a_search_has_a_line_for_each_setting_and_the_highest_in_bold(tmp_path, monkeypatch):
    trials = [
        "- {model: FM, seed: 2020, learning_rate: 0.1}",
        "- {model: FM, seed: 2020, learning_rate: 0.2}",
        "- {model: DecFM, seed: 2020, learning_rate: 0.2}",
        "- {model: FM, seed: 2020, learning_rate: 0.1, unused_col: {item: [genre]}}",
        "- {model: FM, seed: 2021, learning_rate: 0.1}",
        "- {model: FM, seed: 2020, learning_rate: 0.3}",
    ]
    best = pd.DataFrame(
        {
            "training": [
                "FM, seed=2020, learning_rate=0.1",
                "FM, seed=2020, learning_rate=0.2",
                "DecFM, seed=2020, learning_rate=0.2",
                "FM, seed=2020, learning_rate=0.1, unused_col={'item': ['genre']}",
                "FM, seed=2021, learning_rate=0.1",
            ],
            "recall@10": [0.5, 0.4, 0.3, 0.2, 0.9],
            "recall@10_30": [0.11, 0.12, 0.13, 0.14, 0.9],
        }
    )
    (tmp_path / "trials.yaml").write_text("\n".join(trials), encoding="utf-8")
    (tmp_path / "trials").mkdir()
    best.to_csv(tmp_path / "trials" / "best.csv", index=False)
    monkeypatch.setattr("trial_tables.FOLDER", tmp_path)
    lines = TABLES["search"]("trials", "FM").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]
    names = ["FM", "DecFM", "Unawareness"]
    assert cells == [
        ["Recall@10", *names, *(f"at 30: {name}" for name in names)],
        ["learning_rate=0.1", "**0.5000**", "", "**0.2000**", "0.1100", "", "**0.1400**"],
        ["learning_rate=0.2", "0.4000", "**0.3000**", "", "**0.1200**", "**0.1300**", ""],
    ]


@pytest.fixture(scope="module")
def benchmark():
    path = Path(__file__).parents[1] / "benchmarks" / "trials.py"
    spec = importlib.util.spec_from_file_location("trials", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_best_epochs_and_means_are_those_of_the_curves(benchmark, tmp_path):
    trials = yaml.safe_load((FOLDER / "trials.yaml").read_text(encoding="utf-8"))
    for trial in trials:
        curve = benchmark.files_of(trial, FOLDER / "trials")[1]
        (tmp_path / curve.name).write_bytes(curve.read_bytes())
    benchmark.summarise(trials, tmp_path)
    for name in ("best.csv", "means.csv", "rules.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / "trials" / name).read_bytes(), "trials.py writes them"


@pytest.mark.parametrize(("patience", "place"), [(1, 1), (2, 4), (float("inf"), 8)])
def test_patience_keeps_the_best_until_more_evaluations_bring_no_gain(benchmark, patience, place):
    assert benchmark.kept([0.1, 0.3, 0.2, 0.2, 0.4, 0.3, 0.3, 0.3, 0.5], patience) == place


@pytest.mark.parametrize("seed", range(8))
def test_rules_look_at_the_mean_of_the_last_evaluations(benchmark, seed):
    rng = np.random.default_rng(seed)
    scores = (np.log(np.arange(1, 121)) / 20 + rng.normal(0, 0.02, 120)).tolist()
    curve = pd.DataFrame({"epoch": range(2, 242, 2), "recall@10": scores})
    frame = benchmark.rules_of("a trial", curve).set_index(["window", "patience"])
    assert set(frame.index) == {(window, patience) for window in (1, 5, 10) for patience in (10, 15, 30)}
    for (window, patience), row in frame.iterrows():
        means = [sum(scores[max(0, at - window + 1) : at + 1]) / min(window, at + 1) for at in range(len(scores))]
        best = 0
        for at, mean in enumerate(means):
            if at - best <= patience + 1 and mean > means[best]:
                best = at
        around = scores[max(0, best - 12) : best + 13]
        assert row[["epoch", "recall@10"]].tolist() == [2 + 2 * best, scores[best]]
        assert row["level"] == pytest.approx(sum(around) / len(around))


OF_TRAINING = ("stopping_step", "epochs", "train_batch_size", "embedding_norm_weight")
HALVES = {"ensemble_equal": "ensemble_constant", "equal": "constant"}
"""Two models half and half, by the method that has one weight for them, 0.5 among others."""


def folders_with_halves():
    for path in sorted(FOLDER.glob("*/run.json")):
        methods = json.loads(path.read_text(encoding="utf-8"))["methods"].values()
        if any(HALVES.keys() & set(names) for names in methods):
            yield path.parent.name


@pytest.mark.parametrize("folder", folders_with_halves())
def test_half_and_half_is_of_the_models_of_the_tables(folder):
    """With the weight 0.5 they have the validation score of the tables' models, or of their folder's own."""
    names = folder, folder.split("-")[0]
    records = [json.loads((FOLDER / name / "run.json").read_text(encoding="utf-8")) for name in names]
    configs = [next(iter(record["config"].values())) for record in records]
    settings = [[config[key] for key in OF_TRAINING] for config in configs]
    ours, tables = (results_of_folder(FOLDER / name, record) for name, record in zip(names, records, strict=True))
    theirs = tables if settings[0] == settings[1] else ours
    (backbone,) = ours.methods
    known = [name for name in HALVES if name in ours.methods[backbone]]
    assert known
    for name, seed in itertools.product(known, ours.seeds):
        (score,) = ours.outcomes[backbone, name, seed].info["valid_scores"]
        assert score in theirs.outcomes[backbone, HALVES[name], seed].info["valid_scores"]


def test_the_command_of_a_folder_finds_its_pieces(tmp_path, capsys):
    folder = FOLDER.parent / "ml-100k"
    (tmp_path / "pieces").symlink_to(folder / "pieces", target_is_directory=True)
    command = json.loads((folder / "run.json").read_text(encoding="utf-8"))["command"]
    words = [word for word in shlex.split(command)[1:] if not word.startswith("--output=")]
    main([*words, f"--output={tmp_path}", "--dry_run"])
    assert re.search(r"^0 of \d+ pieces are to be made", capsys.readouterr().out, re.MULTILINE)


def test_a_file_of_trials_that_is_not_there_is_named(benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["trials.py", "--trials=trial.yaml", f"--output={tmp_path / 'out'}"])
    with pytest.raises(SystemExit, match="trial.yaml: the file is not there; name one of trials"):
        benchmark.main()
    assert not (tmp_path / "out").exists()


def test_files_of_trials_have_names_that_any_file_system_takes(benchmark):
    trial = {"model": "FM", "seed": 2020, "unused_col": {"item": ["genre"]}, "learning_rate": 0.05}
    assert benchmark.name_of(trial) == "FM-learning_rate=0.05-seed=2020-unused_col=itemgenre"
