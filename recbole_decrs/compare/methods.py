"""Lists the methods of a comparison: the backbone, the paper's competitors (Sec. 4.1), DecRS, and controls."""

from __future__ import annotations

from typing import Any

from recbole.utils import ModelType

from recbole_decrs.causal.propensity import capped_users
from recbole_decrs.compare.method import Method, Settings
from recbole_decrs.compare.weights import constant_weights, drift_weights, equal_weights, shuffled_drift_weights
from recbole_decrs.data.popularity_field import POPULARITY
from recbole_decrs.model.training_options import PaperTrainingOptions
from recbole_decrs.rerank import RERANKERS, RERANKERS_OF_THE_PACKAGE

PARTNER = 1000
"""How far the seed of the second conventional model of ``ensemble`` is from that of the first."""

IN_TABLE_3 = ("fairco", "calibration", "diversity")
"""The re-rankers in the order of the paper's Table 3; others come after them."""


def _without_groups(config) -> Settings:
    unused = dict(config["unused_col"] or {})
    return {"unused_col": {**unused, "item": [*(unused.get("item") or []), config["group_field"]]}}


def _twice_as_wide(config) -> Settings:
    return {"embedding_size": 2 * config["embedding_size"]}


def _no_group_feature(config) -> str | None:
    backbone = config.model_class.__name__
    if config["MODEL_TYPE"] != ModelType.CONTEXT:
        return f"{backbone} takes no item features"
    loaded = config["load_col"].get("item", ()) if config["load_col"] else "*"
    of_clicks = config["group_field"] == POPULARITY
    if of_clicks or (loaded not in ("*", None) and config["group_field"] not in loaded):
        return f"the group field {config['group_field']} is no feature of {backbone}"
    return None


def _no_weighted_loss(config) -> str | None:
    if issubclass(config.model_class, PaperTrainingOptions):
        return None
    return f"the loss of {config.model_class.__name__} does not weigh samples"


def _no_rows_of_clicks(config) -> str | None:
    if issubclass(config.model_class, PaperTrainingOptions):
        return None
    return f"{config.model_class.__name__} is not trained by ids, so no d goes with each click"


def _no_embeddings(config) -> str | None:
    if config["MODEL_TYPE"] != ModelType.TRADITIONAL:
        return None
    return f"{config.model_class.__name__} learns no embeddings, and is the same with every seed"


def _no_width(config) -> str | None:
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL:  # often has a hidden_size instead, and reads no embedding_size
        has_width = "embedding_size" in config.internal_config_dict
    else:
        has_width = config["embedding_size"] is not None
    return _no_embeddings(config) if has_width else f"{config.model_class.__name__} has no embedding_size"


def _capped_users(cap: float, confounder) -> Settings:
    return {"capped_users": list(capped_users(confounder.n_clicks, cap))}


def _capped_users_text(infos: list[dict[str, Any]]) -> str:
    (_, n_users), *_ = counts = [info["capped_users"] for info in infos]
    return f" (cap hit by {', '.join(str(capped) for capped, _ in counts)} of {n_users} users)"


def method_of_reranker(name: str) -> Method:
    """Make the row of a re-ranker of the backbone's candidates from the record of the re-ranker."""
    record = RERANKERS[name]
    about = "the backbone's top `reranker_candidates` in the order of the re-ranker " + record.with_source
    return Method(record.title, about=about, role="competitor", parameter=record.weight, reranker=name)


METHODS: dict[str, Method] = {
    "backbone": Method("{backbone}", about="the conventional model", role="backbone"),
    "unawareness": Method(
        "Unawareness",
        about="the conventional model without the group field",
        role="competitor",
        settings_of=_without_groups,
        why_not=_no_group_feature,
    ),
    **{name: method_of_reranker(name) for name in dict.fromkeys((*IN_TABLE_3, *RERANKERS_OF_THE_PACKAGE))},
    "ips_user": Method(
        "IPS by user",
        about="samples weighted by inverse propensity, by how many clicks their user has: the paper's variant",
        role="competitor",
        grid=tuple((cap, {"ips": "user", "ips_cap": cap}) for cap in range(2, 11)),
        parameter="c",
        why_not=_no_weighted_loss,
        remark=_capped_users,
        remark_text=_capped_users_text,
    ),
    "ips_item": Method(
        "IPS by item",
        about="samples weighted by inverse propensity, by how many clicks their item has (Saito et al. 2020)",
        role="competitor",
        grid=tuple((floor, {"ips": "item", "ips_floor": floor}) for floor in (0.1, 0.3, 0.5, 0.7, 0.9)),
        parameter="least theta",
        why_not=_no_weighted_loss,
    ),
    "decrs_wo": Method(
        "DecRS w/o inference",
        about="the deconfounded model alone, without DecRS' inference strategy",
        role="decrs",
        twin=True,
        trains="decrs",
    ),
    "decrs_product": Method(
        "DecRS, operator product",
        about="DecRS with the operator of Eq. 7",
        role="decrs",
        grid=((None, {"backdoor_operator": "product"}),),
        parameter="alpha",
        twin=True,
        weights=drift_weights,
        by_drift=True,
    ),
    "decrs_authors": Method(
        "DecRS, authors' d̄ and start",
        about="DecRS with d̄ over the catalogue and group embeddings that start at N(0, 1), as in the authors' code",
        role="decrs",
        grid=((None, {"confounder_prior": "item", "group_init_std": 1.0}),),
        parameter="alpha",
        twin=True,
        weights=drift_weights,
        by_drift=True,
    ),
    "decrs": Method(
        "DecRS",
        about="DecRS: the backbone and the deconfounded model, fused by the drift of each user (Eq. 11)",
        role="decrs",
        parameter="alpha",
        twin=True,
        weights=drift_weights,
        by_drift=True,
    ),
    "intervention": Method(
        "Intervention",
        about="M(d, u) learned from d of the clicks before each click, ranked with d̄ in its place (Eq. 2), not fused",
        role="decrs",
        grid=((None, {"confounder_training": "history"}),),
        twin=True,
        why_not=_no_rows_of_clicks,
    ),
    "by_user": Method(
        "Trained with d_u",
        about="control: M(d, u) learned from d_u, and ranked with d̄ in its place, not fused",
        role="control",
        grid=((None, {"confounder_training": "user"}),),
        twin=True,
    ),
    "ensemble": Method(
        "Ensemble",
        about="control: two conventional models with different seeds, fused as DecRS fuses its two",
        role="control",
        parameter="alpha",
        weights=drift_weights,
        by_drift=True,
        seed_shift=PARTNER,
        why_not=_no_embeddings,
    ),
    "ensemble_constant": Method(
        "Ensemble, constant weight",
        about="control: the same two conventional models, fused with one weight for all",
        role="control",
        parameter="weight",
        weights=constant_weights,
        seed_shift=PARTNER,
        trains="ensemble",
        why_not=_no_embeddings,
    ),
    "ensemble_equal": Method(
        "Ensemble, equal weights",
        about="control: the same two conventional models, half and half, with nothing chosen on validation",
        role="control",
        weights=equal_weights,
        seed_shift=PARTNER,
        trains="ensemble",
        why_not=_no_embeddings,
    ),
    "other_seed": Method(
        "Another seed",
        about="control: the conventional model with another seed, from which a test should tell nothing (A/A)",
        role="control",
        seed_shift=PARTNER,
        trains="ensemble",
        why_not=_no_embeddings,
    ),
    "constant": Method(
        "Constant weight",
        about="control: DecRS fused with one weight for all",
        role="control",
        parameter="weight",
        twin=True,
        weights=constant_weights,
        trains="decrs",
    ),
    "equal": Method(
        "DecRS, equal weights",
        about="control: the two models of DecRS, half and half, with nothing chosen on validation",
        role="control",
        twin=True,
        weights=equal_weights,
        trains="decrs",
    ),
    "shuffled": Method(
        "Shuffled drift",
        about="control: DecRS fused by the drift of other users",
        role="control",
        parameter="alpha",
        twin=True,
        weights=shuffled_drift_weights,
        by_drift=True,
        trains="decrs",
    ),
    "confounded": Method(
        "Confounded twin",
        about="control: M(d_u, u) in place of M(d̄, u)",
        role="control",
        grid=((None, {"confounder_prior": "user"}),),
        parameter="alpha",
        twin=True,
        weights=drift_weights,
        by_drift=True,
    ),
    "confounded_wo": Method(
        "Confounded twin w/o inference",
        about="control: the confounded twin, M(d_u, u) in place of M(d̄, u), alone and not fused",
        role="control",
        grid=((None, {"confounder_prior": "user"}),),
        twin=True,
        trains="confounded",
    ),
    "free": Method(
        "Free vector",
        about="control: one free vector in place of the sum over groups",
        role="control",
        grid=((None, {"confounder_prior": "learned"}),),
        parameter="alpha",
        twin=True,
        weights=drift_weights,
        by_drift=True,
    ),
    "wide": Method(
        "Twice as wide",
        about="control: one conventional model with twice the embedding size",
        role="control",
        settings_of=_twice_as_wide,
        why_not=_no_width,
    ),
}
"""The methods by the name that ``--methods`` takes, in the order of the tables."""
OF_THE_PACKAGE = frozenset(METHODS)
"""The names that are not to be had for a method of one's own."""


def title(backbone: str, name: str) -> str:
    """Give the title that a method over a backbone has in tables and figures; a ranking list has its own name."""
    return METHODS[name].title.replace("{backbone}", backbone) if name in METHODS else name
