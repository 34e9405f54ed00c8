"""Scripts that measure the models of a comparison once more: benchmarks/amplification.py and mechanism.py."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest
import yaml

from recbole_decrs import measure_mechanism
from recbole_decrs.compare.configurations import Configurations
from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.experiment import Experiment
from recbole_decrs.compare.pieces import Pieces

pytestmark = pytest.mark.slow


def script(name):
    path = Path(__file__).parents[2] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_m_does_in_many_models(whole, monkeypatch):
    pieces = sorted(map(str, (whole[1] / "pieces").glob("FM-2020-*.pth")))
    of_history, free = (next(path for path in pieces if f"-{name}-" in path) for name in ("decrs", "free"))
    for given in ([free, "FM-2020-decrs-0123456789-last.pth"], [of_history, free]):
        monkeypatch.setattr("sys.argv", ["mechanism.py", *given, "--output=found.csv"])
        script("mechanism").main()
    frame = pd.read_csv("found.csv")
    assert [(one["method"], one["in_m"]) for _, one in frame.iterrows()][:3] == [
        ("free", "as it ranks"),
        ("free", "no M: zeros"),
        ("decrs", "as it ranks"),
    ]
    assert len(frame) == 2 + 6
    for name, effect in measure_mechanism(of_history).items():
        row = frame[(frame["method"] == "decrs") & (frame["in_m"] == name)].iloc[0]
        assert row["changed"] == round(effect.changed, 3)
        assert row["ckl@10"] == pytest.approx(effect.metrics["ckl@10"], abs=5e-5)


def test_how_often_rated_pairs_stand_in_lists_by_loop(tiny, whole, tmp_path, capsys):
    _, folder = whole
    Path("tiny.yaml").write_text(yaml.safe_dump(tiny))
    methods = ["decrs", "calibration", "unawareness"]
    given = ["--dataset=tiny", "--config_files=tiny.yaml", "--backbones=FM", "--seeds=2", f"--output={folder}"]
    script("amplification").main([*given, f"--methods={','.join(methods)}"])
    assert "below FM, of 2" in capsys.readouterr().out
    found = pd.read_csv(folder / "amplification.csv")
    assert set(found["seed"]) == {2020, 2021}
    experiment = Experiment(
        "FM", 2020, Configurations("tiny", None, tiny, None), Pieces(str(folder / "pieces")), DataCache()
    )
    data = experiment.data
    parts = [
        {(int(u), int(i)) for u, i in zip(one.inter_feat["user_id"], one.inter_feat["item_id"], strict=True)}
        for one in (data.part, data.valid.dataset, data.test.dataset)
    ]
    table = pd.read_csv(Path(tiny["data_path"]) / "tiny" / "tiny.inter", sep="\t")
    for method, title in (("backbone", "FM"), ("decrs", "DecRS"), ("calibration", "Calibration")):
        struct = experiment.choice_of(method).test
        lists = {
            int(user): [int(item) for item, there in zip(items, ranked, strict=True) if there]
            for user, items, ranked in zip(
                struct.get("rec.users"), struct.get("rec.items"), struct.get("rec.ranked"), strict=True
            )
        }
        n_pairs, n_listed = {}, {}
        for user, item, rating in zip(
            table["user_id:token"], table["item_id:token"], table["rating:float"], strict=True
        ):
            pair = data.part.token2id("user_id", user), data.part.token2id("item_id", item)
            if pair in parts[0] | parts[1] or pair[0] not in lists:
                continue
            n_pairs[rating] = n_pairs.get(rating, 0) + 1
            n_listed[rating] = n_listed.get(rating, 0) + (pair[1] in lists[pair[0]])
        of_method = found[(found["method"] == title) & (found["seed"] == 2020)]
        by_rating = of_method.assign(listed=of_method["pairs"] * of_method["score"]).groupby("rating")
        assert by_rating["pairs"].sum().to_dict() == n_pairs
        assert by_rating["listed"].sum().to_dict() == pytest.approx(n_listed)
        assert sum(n_listed.values()) > 0
