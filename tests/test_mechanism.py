"""What M does in a trained model, against loops over users and items."""

from pathlib import Path

import numpy as np
import pytest
import torch

from recbole_decrs import DecRSError, load_data_and_model, measure_mechanism, run_recbole_decrs
from recbole_decrs.cli import main
from recbole_decrs.compare import run_comparison
from recbole_decrs.mechanism import _other_distributions
from recbole_decrs.saved_model import load_deconfounded
from tiny_data import tiny_tables, write_tables

pytestmark = pytest.mark.slow


def checkpoint(settings, model="DecFM", **others):
    others = {"group_init_std": 1.0, "epochs": 1} | others
    return run_recbole_decrs(model, "tiny", config_dict=settings | others)["saved_model_file"]


def effect_by_loop(path, put_in_place, k):
    """Compute the share and the changed of an effect on the test part; ``put_in_place`` changes the model of a user."""
    _, fused, _, train_data, valid_data, test_data = load_data_and_model(path)
    deconfounded, part = fused.deconfounded.eval(), train_data.dataset
    seen = [
        {(int(u), int(i)) for u, i in zip(one.inter_feat["user_id"], one.inter_feat["item_id"], strict=True)}
        for one in (part, valid_data.dataset)
    ]
    users = sorted(set(test_data.dataset.inter_feat["user_id"].tolist()))

    def logits(user):
        pairs = part.get_user_feature()[torch.tensor([user])].repeat(part.item_num)
        pairs.update(part.get_item_feature())
        with torch.no_grad():
            return deconfounded.forward(pairs).double()

    before = {user: logits(user) for user in users}
    shares, stays = [], []
    for user in users:
        candidates = [item for item in range(1, part.item_num) if not any((user, item) in clicks for clicks in seen)]
        put_in_place(deconfounded, part.confounder, user)
        old, new = before[user][candidates], logits(user)[candidates]
        shares.append(((new - old).var(correction=0) / old.var(correction=0)).item())
        top = [set(scores.topk(k).indices.tolist()) for scores in (old, new)]
        stays.append(len(top[0] & top[1]) / k)
    return np.mean(shares), 1 - np.mean(stays)


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_by_loop(settings, model):
    def the_users_own(deconfounded, confounder, user):
        deconfounded.backdoor.prior = torch.as_tensor(confounder.user_distribution[user], dtype=torch.float32)

    path = checkpoint(settings, model)
    effects = measure_mechanism(path, "test", k=3)
    found = effects["d_u, the user's own"]
    share, changed = effect_by_loop(path, the_users_own, k=3)
    assert found.share == pytest.approx(share, rel=1e-3)
    assert found.changed == pytest.approx(changed)
    assert effects["as it ranks"][1:] == (0, 0)
    assert found.share > 0


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_of_a_free_vector(settings, model):
    """M has no d that could be another one, and can be left out."""

    def zeros(deconfounded, confounder, user):
        deconfounded.backdoor.register_forward_hook(lambda module, given, result: torch.zeros_like(result))

    path = checkpoint(settings, model, confounder_prior="learned")
    effects = measure_mechanism(path, "test", k=3)
    assert list(effects) == ["as it ranks", "no M: zeros"]
    share, changed = effect_by_loop(path, zeros, k=3)
    assert effects["no M: zeros"].share == pytest.approx(share, rel=1e-3)
    assert effects["no M: zeros"].changed == pytest.approx(changed)
    assert share > 0


def test_the_metrics_are_those_of_a_run(settings):
    result = run_recbole_decrs("DecFM", "tiny", config_dict=settings)
    effects = measure_mechanism(result["saved_model_file"], "test")
    assert effects["as it ranks"].metrics == result["deconfounded_test_result"]
    assert len(effects) == 6


def test_d_bar_stays_where_a_user_has_no_d(tmp_path, settings):
    """The only click of a user in training is on an item without a group."""
    tables = tiny_tables()
    tables["item"].loc[tables["item"]["item_id:token"] == "i3", "genre:token_seq"] = ""
    clicks = tables["inter"].sort_values("timestamp:float")
    first = clicks[clicks["user_id:token"] == "u4"].index[0]
    tables["inter"].loc[first, "item_id:token"] = "i3"
    is_left = (clicks["user_id:token"] != "u4").to_numpy() | clicks.index.isin(
        clicks[clicks["user_id:token"] == "u4"].index[[0, -2, -1]]
    )
    tables["inter"] = tables["inter"].loc[clicks.index[is_left]]
    write_tables(tmp_path / "data", tables)
    path = checkpoint(settings | {"eval_args": {"split": {"LS": "valid_and_test"}}})
    part = load_data_and_model(path)[3].dataset
    user = part.token2id("user_id", "u4")
    assert part.confounder.user_distribution[user].sum() == 0
    found = _other_distributions(part, seed=0)
    for name in ("d_u, the user's own", "d_u of another user"):
        np.testing.assert_allclose(found[name][user], part.confounder.prior)
        others = np.flatnonzero(part.confounder.n_clicks)
        np.testing.assert_allclose(
            np.sort(found[name][others], axis=0), np.sort(part.confounder.user_distribution[others], axis=0)
        )


@pytest.mark.parametrize("model", ["DecDeepFM", "DecBPR", "DecLightGCN", "DecSASRec"])
def test_other_models(settings, model):
    effects = measure_mechanism(checkpoint(settings, model))
    assert effects["no M: zeros"].share > 0
    assert all(np.isfinite(effect.share) for effect in effects.values())


def test_the_command(settings, capsys):
    path = checkpoint(settings)
    assert main(["mechanism", path, "--part=test", "--k=5"]) == 0
    shown = capsys.readouterr().out
    assert "share of the scores' variance" in shown
    assert "no M: zeros" in shown


def test_what_cannot_be_measured(settings, capsys):
    with pytest.raises(DecRSError, match="which is not deconfounded"):
        measure_mechanism(checkpoint(settings, "FM"))
    of_pairs = {"metrics": ["AUC"], "valid_metric": "AUC", "train_neg_sample_args": None, "threshold": {"rating": 5}}
    with pytest.raises(DecRSError, match="mechanism compares ranked lists, and .* is evaluated on labelled pairs"):
        measure_mechanism(checkpoint(settings, eval_args={"mode": "labeled"}, **of_pairs))
    with pytest.raises(DecRSError, match="k asks for 1000 items, and there are 30"):
        measure_mechanism(checkpoint(settings, "DecFM"), k=1000)
    with pytest.raises(DecRSError, match="part must be one of valid, test, not 'train'"):
        measure_mechanism("x.pth", "train")
    with pytest.raises(DecRSError, match=r"saved is a folder and no checkpoint; name a \.pth file in it"):
        measure_mechanism("saved")
    for number in ({"k": 0}, {"seed": -1}):
        with pytest.raises(DecRSError, match="must be a whole number"):
            measure_mechanism("x.pth", **number)
    assert main(["mechanism", "x.pth", "--epochs=3"]) == 2
    assert "mechanism works on what is trained already, and takes no --epochs" in capsys.readouterr().err


def test_of_a_piece_of_a_comparison(settings):
    """It is the same half that a run trains with the same seed."""
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    (piece,) = (path for path in Path("out/pieces").glob("FM-2020-decrs-*.pth") if "last" not in path.name)
    of_run = run_recbole_decrs("DecFM", "tiny", config_dict=settings)["saved_model_file"]
    assert measure_mechanism(str(piece), k=3) == measure_mechanism(of_run, k=3)
    (backbone,) = (path for path in Path("out/pieces").glob("FM-2020-backbone-*.pth") if "last" not in path.name)
    with pytest.raises(DecRSError, match="which is not deconfounded"):
        measure_mechanism(str(backbone))


def test_a_piece_of_another_seed_has_the_data_of_the_comparison(settings):
    """In a comparison the first seed splits the data for the models of all seeds."""
    settings = settings | {"eval_args": {"split": {"RS": [0.6, 0.2, 0.2]}, "order": "RO"}}
    run_comparison(["FM"], "tiny", ["decrs_wo"], [2020, 2021], "out", config_dict=settings)
    (piece,) = (path for path in Path("out/pieces").glob("FM-2021-decrs-*.pth") if "last" not in path.name)
    assert load_deconfounded(str(piece))[0]["seed"] == 2021
    assert set(measure_mechanism(str(piece), k=3)) > {"as it ranks", "uniform"}
    with pytest.raises(DecRSError, match="was made for other data"):
        measure_mechanism(str(piece), k=3, config_dict={"seed": 2021})


def test_a_piece_makes_no_lists_and_says_why(settings):
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    (piece,) = (path for path in Path("out/pieces").glob("FM-2020-decrs-*.pth") if "last" not in path.name)
    with pytest.raises(DecRSError, match="holds a DecFM by itself, as a comparison trains it"):
        load_data_and_model(str(piece))


def test_a_piece_that_is_not_finished_is_refused(settings):
    run_comparison(["FM"], "tiny", ["decrs_wo"], 1, "out", config_dict=settings)
    (piece,) = (path for path in Path("out/pieces").glob("FM-2020-decrs-*.pth") if "last" not in path.name)
    content = torch.load(piece, weights_only=True)
    torch.save(content | {"finished": False}, piece)
    with pytest.raises(DecRSError, match="has not come to its end|damaged"):
        measure_mechanism(str(piece))


@pytest.mark.parametrize("worker", [0, 1])
def test_sampled_candidates_are_the_same_whatever_is_in_m(settings, worker):
    """The twin ranks by the user's own d_u, so that d_u in its M changes nothing; and they are those of its table."""
    settings |= {"eval_args": {"mode": {"valid": "uni5", "test": "uni5"}}, "worker": worker}
    results = run_comparison(["FM"], "tiny", ["confounded", "decrs_wo"], 2, "out", config_dict=settings)
    alone, twin = (
        measure_mechanism(str(next(Path("out/pieces").glob(f"FM-2021-{name}-*.pth"))), "test", k=3)
        for name in ("decrs", "confounded")
    )
    assert alone["as it ranks"].metrics == results.outcomes["FM", "decrs_wo", 2021].info["test"]
    assert twin["d_u, the user's own"].changed == 0
    assert twin["d_u, the user's own"].metrics == twin["as it ranks"].metrics


def test_a_part_that_the_split_leaves_empty(settings):
    path = checkpoint(settings, "DecBPR", eval_args={"split": {"LS": "test_only"}})
    with pytest.raises(DecRSError, match="part: the split of tiny leaves no validation part; take --part=test"):
        measure_mechanism(path)
    assert len(measure_mechanism(path, "test")) > 1
