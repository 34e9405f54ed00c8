import numpy as np
import pytest
import torch

from recbole_decrs import DecRSError, load_data_and_model, measure_jensen_gap, run_recbole_decrs
from recbole_decrs.cli import main

pytestmark = pytest.mark.slow


def checkpoint(settings, model="DecFM", **others):
    return run_recbole_decrs(model, "tiny", config_dict=settings | others)["saved_model_file"]


def test_the_gap_of_a_trained_model_by_loop(settings):
    path = checkpoint(settings, group_init_std=1.0)
    gap = measure_jensen_gap(path, n_users=5, seed=1, k=3)["probability"]
    _, fused, _, train_data, *_ = load_data_and_model(path)
    model, part = fused.deconfounded.eval(), train_data.dataset
    confounder = part.confounder
    users = np.sort(np.random.default_rng(1).choice(np.arange(1, part.user_num), 5, replace=False))

    def scores(distribution):
        model.backdoor.prior = torch.as_tensor(distribution, dtype=torch.float32)
        rows = []
        for user in users:
            pairs = part.get_user_feature()[torch.tensor([user])].repeat(part.item_num)
            pairs.update(part.get_item_feature())
            with torch.no_grad():
                rows.append(model.predict(pairs).double())
        return torch.stack(rows)

    share = confounder.n_clicks / confounder.n_clicks.sum()
    expected = sum(share[user] * scores(confounder.user_distribution[user]) for user in range(1, part.user_num))
    gaps = expected - scores(confounder.prior)
    candidates = torch.as_tensor(part.inter_matrix(form="csr")[users].toarray() == 0)
    candidates[:, 0] = False
    assert gap.mean == pytest.approx(gaps[candidates].mean().item(), abs=1e-6)
    assert gap.quantiles[1.0] == pytest.approx(gaps[candidates].abs().max().item(), abs=1e-6)
    assert gap.quantiles[1.0] > 1e-5


def test_the_checkpoint_is_read_once(settings, reads):
    path = checkpoint(settings, epochs=1)
    reads.clear()
    measure_jensen_gap(path, n_users=3, k=3)
    assert reads == [path]


@pytest.mark.parametrize("model", ["DecNFM", "DecDeepFM", "DecBPR", "DecLightGCN", "DecNeuMF"])
def test_other_models(settings, model):
    gaps = measure_jensen_gap(checkpoint(settings, model, epochs=1, group_init_std=1.0), n_users=3, k=3)
    assert all(np.isfinite(gap.mean) for gap in gaps.values())
    assert gaps["probability"].quantiles[1.0] > 0


def test_linear_in_d_leaves_rounding_alone(settings):
    path = checkpoint(settings, backdoor_operator="product", group_init_std=1.0, bi_batch_norm=False)
    gap = measure_jensen_gap(path, n_users=5, k=3)["logit"]
    assert gap.quantiles[1.0] < 1e-5
    assert gap.changed_lists == 0


def test_the_gap_is_to_the_prior_that_the_model_has(settings):
    path = checkpoint(settings, backdoor_operator="product", group_init_std=1.0, bi_batch_norm=False)
    served, others = (
        measure_jensen_gap(path, n_users=5, k=3, config_dict={"confounder_prior": prior})["logit"]
        for prior in ("interaction", "uniform")
    )
    assert served.quantiles[1.0] < 1e-5  # linear in d
    assert others.quantiles[1.0] > 1e-3


def test_the_command(settings, capsys):
    path = checkpoint(settings)
    assert main(["jensen-gap", path, "--users=4"]) == 0
    assert "| probability |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "needs one checkpoint"),
        (["nothing.pth"], "there is no checkpoint"),
        (["a.pth", "--users=no"], "--users must"),
        (["a.pth", "--user=5"], "takes no --user; did you mean users"),
        (
            ["a.pth", "--learning_rate=7"],
            "measures a trained model, and takes no --learning_rate; it takes users, seed",
        ),
    ],
)
def test_one_sentence_for_what_cannot_be_used(capsys, arguments, message):
    assert main(["jensen-gap", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_models_without_an_expectation(settings):
    with pytest.raises(DecRSError, match="not deconfounded"):
        measure_jensen_gap(checkpoint(settings, "FM"))
    with pytest.raises(DecRSError, match="no expectation"):
        measure_jensen_gap(checkpoint(settings, confounder_prior="user"))
