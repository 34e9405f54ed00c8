"""Scripts that measure the models of a comparison once more: benchmarks/amplification.py and mechanism.py."""

from pathlib import Path
from runpy import run_path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from recbole_decrs import DecRSError, measure_mechanism
from recbole_decrs.compare.configurations import Configurations
from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.experiment import Experiment
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.tables import cells_of

pytestmark = pytest.mark.slow


def script(name):
    return run_path(str(Path(__file__).parents[2] / "benchmarks" / f"{name}.py"))


def test_what_m_does_in_many_models(whole, monkeypatch):
    pieces = sorted(map(str, (whole[1] / "pieces").glob("FM-2020-*.pth")))
    of_history, free = (next(path for path in pieces if f"-{name}-" in path) for name in ("decrs", "free"))
    other = "FM-2020-free-0123456789.pth"  # as if it had been trained with other settings
    Path(other).write_bytes(Path(free).read_bytes())
    unfinished = "FM-2020-decrs-0123456789-last.pth"  # what a training goes on from is no model
    Path(unfinished).touch()
    for given in ([free, unfinished], [of_history, free], [of_history, other]):
        monkeypatch.setattr("sys.argv", ["mechanism.py", *given, "--output=found.csv"])
        script("mechanism")["main"]()
    frame = pd.read_csv("found.csv", dtype={"settings": str})
    assert (frame["settings"] == "0123456789").sum() == 2
    assert [(one["method"], one["in_m"]) for _, one in frame.iterrows()][:3] == [
        ("free", "as it ranks"),
        ("free", "no M: zeros"),
        ("decrs", "as it ranks"),
    ]
    assert len(frame) == 2 + 6 + 2
    for name, effect in measure_mechanism(of_history).items():
        row = frame[(frame["method"] == "decrs") & (frame["in_m"] == name)].iloc[0]
        assert row["changed"] == round(effect.changed, 3)
        assert row["ckl@10"] == pytest.approx(effect.metrics["ckl@10"], abs=5e-5)


def test_pieces_that_are_not_there_or_no_models_are_named(monkeypatch):
    Path("FM-2020-decrs.pth").touch()
    for given, said in (("pieces/FM-*.pth", "is not there"), ("FM-2020-decrs.pth", "is no model of a comparison")):
        monkeypatch.setattr("sys.argv", ["mechanism.py", given, "--output=found.csv"])
        with pytest.raises(DecRSError, match=said):
            script("mechanism")["main"]()
    assert not Path("found.csv").exists()


def test_how_often_rated_pairs_stand_in_lists_by_loop(tiny, whole, tmp_path, capsys):
    _, folder = whole
    Path("tiny.yaml").write_text(yaml.safe_dump(tiny))
    methods = ["decrs", "calibration", "unawareness"]
    given = ["--dataset=tiny", "--config_files=tiny.yaml", "--backbones=FM", "--seeds=2", f"--output={folder}"]
    script("amplification")["main"]([*given, f"--methods={','.join(methods)}"])
    assert cells_of(capsys.readouterr().out.strip().splitlines()[2])[-2:] == ["below FM", "% from FM"]
    found = pd.read_csv(folder / "amplification.csv")
    assert set(found["seed"]) == {2020, 2021}
    experiment = Experiment(
        "FM", 2020, Configurations("tiny", None, tiny, None), Pieces(str(folder / "pieces")), DataCache()
    )
    data = experiment.data
    parts = [
        {(int(u), int(i)) for u, i in zip(one.inter_feat["user_id"], one.inter_feat["item_id"], strict=True)}
        for one in (data.part, data.valid.dataset)
    ]
    history = {user: [item for other, item in parts[0] if other == user] for user, _ in parts[0]}

    def groups_of(item):
        return {int(group) for group in data.part.get_item_feature()["genre"][item] if group}

    def share(user, item):
        """Sum q^i_g d_u(g): how much of the history a group of the item has, a mean over its groups."""
        clicked = [groups_of(one) for one in history[user]]
        of_groups = [sum(1 / len(one) for one in clicked if group in one) / len(clicked) for group in groups_of(item)]
        return sum(of_groups) / len(of_groups)

    table = pd.read_csv(Path(tiny["data_path"]) / "tiny" / "tiny.inter", sep="\t")
    for method, title in (("backbone", "FM"), ("decrs", "DecRS"), ("calibration", "Calibration")):
        struct = experiment.choice_of(method).test
        lists = {
            int(user): [int(item) for item, there in zip(items, ranked, strict=True) if there]
            for user, items, ranked in zip(
                struct.get("rec.users"), struct.get("rec.items"), struct.get("rec.ranked"), strict=True
            )
        }
        n_pairs, n_listed, shares = {}, {}, {}
        for user, item, rating in zip(
            table["user_id:token"], table["item_id:token"], table["rating:float"], strict=True
        ):
            pair = data.part.token2id("user_id", user), data.part.token2id("item_id", item)
            if pair in parts[0] | parts[1] or pair[0] not in lists:
                continue
            shares[rating] = shares.get(rating, 0) + share(*pair)
            n_pairs[rating] = n_pairs.get(rating, 0) + 1
            n_listed[rating] = n_listed.get(rating, 0) + (pair[1] in lists[pair[0]])
        of_method = found[(found["method"] == title) & (found["seed"] == 2020)]
        summed = {name: of_method["pairs"] * of_method[name] for name in ("share", "score")}
        by_rating = of_method.assign(**summed).groupby("rating")
        assert by_rating["pairs"].sum().to_dict() == n_pairs
        assert by_rating["score"].sum().to_dict() == pytest.approx(n_listed, rel=1e-4)
        assert by_rating["share"].sum().to_dict() == pytest.approx(shares, rel=1e-4)
        assert sum(n_listed.values()) > 0


def test_models_that_are_not_there(tiny):
    Path("tiny.yaml").write_text(yaml.safe_dump(tiny))
    given = ["--dataset=tiny", "--config_files=tiny.yaml", "--backbones=FM", "--methods=decrs", "--output=nowhere"]
    with pytest.raises(DecRSError, match="lacks the trained FM-2020-backbone, FM-2020-decrs; run"):
        script("amplification")["main"]([*given, "--seeds=1"])
    with pytest.raises(DecRSError, match="--seeds is missing; give what the comparison was made with"):
        script("amplification")["main"](given)


def test_ratios_are_tested_over_the_seeds():
    rng = np.random.default_rng(3)
    ratios = {name: rng.uniform(1, 3, (4, 2)) for name in ("FM", "DecRS", "Another seed")} | {
        "Diversity": np.zeros((4, 2))
    }
    rows = [
        (rating, share, score, "FM", seed, method)
        for method, values in ratios.items()
        for seed, of_seed in enumerate(values)
        for rating, ratio in zip((3, 5), of_seed, strict=True)
        for share, score in ((0.1, 0.01), (0.2, 0.017), (0.3, 0.01 * ratio))
    ]
    frame = pd.DataFrame(rows, columns=["rating", "share", "score", "backbone", "seed", "method"])
    _, *cells = (cells_of(line) for line in script("amplification")["table"](frame, "FM").splitlines())
    changes = [sum(np.log(ratios["DecRS"][seed]) - np.log(ratios["FM"][seed])) / 2 for seed in range(4)]
    mean, error = np.mean(changes), np.std(changes, ddof=1) / 2
    low, high = (100 * (np.exp(mean + sign * 3.182446 * error) - 1) for sign in (-1, 1))
    p = 2 * stats.t.sf(abs(mean / error), 3)
    tested = {row[0]: row[-1] for row in cells}
    assert tested["DecRS"] == f"{100 * (np.exp(mean) - 1):+.1f} [{low:+.1f}, {high:+.1f}], p {p:.2f}"
    assert tested["FM"] == tested["Diversity"] == ""
    assert tested["Another seed"].endswith("]")  # chance, which has no part in Holm's correction


def test_rates_that_are_there_are_not_counted_again(tiny, whole, tmp_path):
    Path("tiny.yaml").write_text(yaml.safe_dump(tiny))
    (tmp_path / "pieces").symlink_to(whole[1] / "pieces")
    path, given = tmp_path / "amplification.csv", ["--dataset=tiny", "--config_files=tiny.yaml", "--backbones=FM"]
    given.append(f"--output={tmp_path}")
    script("amplification")["main"]([*given, "--methods=decrs", "--seeds=2"])
    both = path.read_text()
    lines = both.splitlines(keepends=True)
    path.write_text("".join(line for line in lines if ",2021,DecRS," not in line))
    script("amplification")["main"]([*given, "--methods=decrs", "--seeds=2"])
    assert path.read_text() == both
    (tmp_path / "pieces").unlink()  # nothing is left to count, and no model is needed
    script("amplification")["main"]([*given, "--methods=decrs", "--seeds=1"])
    assert path.read_text() == both
    with pytest.raises(DecRSError, match="lacks the trained FM-2020-unawareness; run"):
        script("amplification")["main"]([*given, "--methods=unawareness", "--seeds=1"])
    with pytest.raises(DecRSError, match="rates of FM over FM, seed 2020, with other settings; give the settings"):
        script("amplification")["main"]([*given, "--methods=decrs", "--seeds=1", "--embedding_size=6"])


def test_rates_of_other_pairs_are_not_mixed(tiny, whole, tmp_path):
    Path("tiny.yaml").write_text(yaml.safe_dump(tiny))
    (tmp_path / "pieces").symlink_to(whole[1] / "pieces")
    given = ["--dataset=tiny", "--config_files=tiny.yaml", "--backbones=FM", f"--output={tmp_path}"]
    given += ["--methods=unawareness", "--seeds=1"]
    head = "rating,pairs,share,score,error,backbone,seed,method,piece\n"
    for content, wrong in [
        (f"{head}5,7,0.5,0.1,0.1,FM,2020,Diversity,a.npz\n", "has rates of other pairs of users and items; move it"),
        (f"{head}5,7,0.5,0.1,0.1,FM,2020,FM,a.npz\n", "rates of FM over FM, seed 2020, with other settings; give"),
        ("", "is no table of rates; move it elsewhere"),
        ("a,b\n1,2\n", "is no table of rates; move it elsewhere"),
    ]:
        (tmp_path / "amplification.csv").write_text(content)
        with pytest.raises(DecRSError, match=wrong):
            script("amplification")["main"](given)
        assert (tmp_path / "amplification.csv").read_text() == content


def test_ratios_of_the_largest_shares_to_the_smallest():
    rows = [
        ("FM", method, seed, rating, share, rate)
        for method, seed, rating, rates in [
            ("FM", 1, 5, (0.1, 0.3, 0.2)),
            ("FM", 2, 5, (0.1, 0.3, 0.3)),
            ("DecRS", 1, 5, (0.2, 0.1, 0.2)),
            ("DecRS", 2, 5, (0.1, 0.1, 0.4)),
        ]
        for share, rate in zip((0.1, 0.2, 0.3), rates, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["backbone", "method", "seed", "rating", "share", "score"])
    lines = script("amplification")["table"](frame.sample(frac=1, random_state=0).sort_values("seed"), "FM").split("\n")
    cells = {row[0]: row[1:] for row in map(cells_of, lines)}
    assert cells[""] == ["seeds", "rating 5", "below FM", "% from FM"]
    assert cells["FM"] == ["2", "2.00 to 3.00", "", ""]
    assert cells["DecRS"][:3] == ["2", "1.00 to 4.00", "1"]
    lines = script("amplification")["table"](frame[(frame["method"] == "FM") | (frame["seed"] == 2)], "FM").split("\n")
    cells = {row[0]: row[1:] for row in map(cells_of, lines)}
    assert cells["DecRS"][:3] == ["1", "4.00", "0"]  # of the one seed that it has
