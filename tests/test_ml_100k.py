"""The main job on real input: both deconfounded models against a popularity ranker on ml-100k."""

import numpy as np
import pytest
import torch

from recbole_decrs import load_data_and_model, run_recbole_decrs
from recbole_decrs.causal import calibration_kl
from recbole_decrs.evaluator.scoring import collect_rankings
from recbole_decrs.rerank import RERANKERS

pytestmark = pytest.mark.slow

FAST = {"show_progress": False, "eval_step": 5}


@pytest.fixture(scope="module")
def popularity(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("pop"))
        return run_recbole_decrs("Pop", "ml-100k", config_dict=FAST)["test_result"]


@pytest.mark.parametrize("model", ["DecFM", "DecNFM"])
def test_far_above_a_popularity_ranker(popularity, model):
    result = run_recbole_decrs(model, "ml-100k", config_dict=FAST | {"epochs": 15})
    for half in ("test_result", "conventional_test_result", "deconfounded_test_result"):
        assert result[half]["recall@20"] > 1.25 * popularity["recall@20"]
        assert result[half]["ckl@20"] < popularity["ckl@20"]
    assert [row["users"] for row in result["by_drift"].values()] == [940, 777, 524, 237, 106, 46]


def test_re_rankers_move_the_right_way(tmp_path):
    """C_KL under calibration, intra-list similarity under diversity, disparity of exposure under FairCo."""
    result = run_recbole_decrs("FM", "ml-100k", config_dict=FAST | {"epochs": 5})
    config, model, _, train_data, _, test_data = load_data_and_model(result["saved_model_file"])
    ranking = {"": lambda scores, users: scores}
    struct = collect_rankings(config, [model.eval()], ranking, test_data, length=100)[""]
    scores, items, users = (struct.get(key) for key in ("rec.list_scores", "rec.items", "rec.users"))
    confounder = train_data.dataset.confounder
    q = torch.as_tensor(confounder.membership)

    def lists(name, weight):
        return items.gather(1, RERANKERS[name](scores, items, confounder, users, weight, 20))

    def miscalibration(weight):
        recommended = confounder.membership[lists("calibration", weight)].mean(axis=1)
        return calibration_kl(confounder.user_distribution[users], recommended).mean()

    def similarity(weight):
        directions = torch.nn.functional.normalize(q[lists("diversity", weight)], dim=-1)
        cosines = directions @ directions.transpose(1, 2)
        return (cosines.sum(dim=(1, 2)) - cosines.diagonal(dim1=1, dim2=2).sum(dim=1)).mean().item()

    def disparity(weight):
        """Of the exposure of groups in lists of all 100 by the new order, per merit: the largest less the smallest."""
        order = RERANKERS["fairco"](scores, items, confounder, users, weight, 100)
        seen = torch.zeros(scores.shape, dtype=torch.float64).scatter_(
            1, order, (1 / torch.log2(torch.arange(2, 102))).double().expand(scores.shape)
        )
        exposure, share = (torch.einsum("uc,ucg->ug", weights, q[items]) for weights in (seen, torch.ones_like(seen)))
        merit = torch.einsum("uc,ucg->ug", scores.double(), q[items])
        ratio = torch.where(share > 0, exposure / merit.clamp_min(1e-6), torch.nan)
        return float(np.nanmean(np.nanmax(ratio, axis=1) - np.nanmin(ratio, axis=1)))

    for move, weights in (
        (miscalibration, (0, 0.1, 0.5, 0.99)),
        (similarity, (0, 0.1, 0.2, 0.9)),
        (disparity, (0, 0.01, 0.1)),
    ):
        values = [move(weight) for weight in weights]
        assert values == sorted(values, reverse=True), (move.__name__, values)
        assert values[-1] < values[0]
