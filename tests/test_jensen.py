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


@pytest.mark.parametrize("split", [{"LS": "valid_and_test"}, {"RS": [0.6, 0.2, 0.2]}])
def test_a_sequential_model_by_loop(settings, split):
    """Each user's last sequence is scored, of as many as there are, and all items are ranked."""
    path = checkpoint(settings, "DecSASRec", epochs=1, group_init_std=1.0, eval_args={"split": split})
    gaps = measure_jensen_gap(path, n_users=5, seed=1, k=3)
    _, fused, _, train_data, _, test_data = load_data_and_model(path)
    model, part, confounder = fused.deconfounded.eval(), test_data.dataset, train_data.dataset.confounder
    last_row = {int(user): row for row, user in enumerate(part.inter_feat["user_id"])}
    users = np.sort(np.random.default_rng(1).choice(sorted(last_row), 5, replace=False))

    @torch.no_grad()
    def scores(distribution, scale):
        model.backdoor.prior = torch.as_tensor(distribution, dtype=torch.float32)
        logits = torch.stack([model.full_sort_predict(part.inter_feat[[last_row[user]]]).flatten() for user in users])
        return (logits if scale == "logit" else logits.softmax(dim=1)).double()

    share = confounder.n_clicks / confounder.n_clicks.sum()
    for scale, gap in gaps.items():
        expected = sum(share[u] * scores(confounder.user_distribution[u], scale) for u in range(1, part.user_num))
        off = (expected - scores(confounder.prior, scale))[:, 1:]
        assert gap.mean == pytest.approx(off.mean().item(), abs=1e-6)
        assert gap.quantiles[1.0] == pytest.approx(off.abs().max().item(), rel=1e-3)
        assert gap.quantiles[1.0] > 1e-5


@pytest.mark.parametrize("numbers", [{"n_users": 0}, {"n_users": 2.5}, {"seed": -1}, {"k": 0}, {"k": True}])
def test_numbers_that_cannot_be_used(numbers):
    ((name, value),) = numbers.items()
    with pytest.raises(DecRSError, match=f"^{name} must be a whole number >= {int(name != 'seed')}, not {value}$"):
        measure_jensen_gap("nothing.pth", **numbers)


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
        (["a.pth", "--users=0"], "--users must be a whole number >= 1, not 0"),
        (["a.pth", "--seed=-1"], "--seed must be a whole number >= 0, not -1"),
        (["a.pth", "--user=5"], "takes no --user; did you mean users"),
        (
            ["a.pth", "--learning_rate=7"],
            "works on what is trained already, and takes no --learning_rate; it takes users, seed",
        ),
    ],
)
def test_one_sentence_for_what_cannot_be_used(capsys, arguments, message):
    assert main(["jensen-gap", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_models_without_an_expectation(settings):
    with pytest.raises(DecRSError, match="not deconfounded"):
        measure_jensen_gap(checkpoint(settings, "FM"))
    for prior in ("user", "recent"):
        with pytest.raises(DecRSError, match="no expectation over distributions; measure a model with interaction"):
            measure_jensen_gap(checkpoint(settings, confounder_prior=prior))
