"""The methods of a comparison: which models each trains, and how its ranking is made (paper, Sec. 4.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recbole.utils import ModelType

from recbole_decrs.model.backbone import BackboneOptions
from recbole_decrs.rerank import RERANKERS

PARTNER = 1000
"""How far the seed of the second conventional model of ``ensemble`` is from that of the first."""
IN_TABLE_3 = ("fairco", "calibration", "diversity")
"""The re-rankers in the order of the paper's Table 3; others come after them."""
BEYOND_GRID = (0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Weights of the trade-off curve that the paper does not search."""

Settings = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """One row of the tables.

    A method without ``reranker`` and ``weights`` ranks by one model: the one of ``grid`` that is best on validation.
    """

    title: str
    role: str
    """``backbone``, ``competitor`` (of the paper), ``decrs`` or ``control``."""
    grid: tuple[tuple[Any, Settings], ...] = ((None, {}),)
    """The value that is chosen, and its settings over those of the backbone."""
    parameter: str = ""
    """What the chosen value is called."""
    twin: bool = False
    """Whether the model is the deconfounded twin of the backbone."""
    weights: str | None = None
    """Fused with the backbone by Eq. 11, with ``drift``, ``constant`` or ``shuffled`` weights."""
    seed_shift: int = 0
    reranker: str | None = None
    trains: str | None = None
    """The method whose models these are, where they are shared."""
    settings_of: Callable[[Any], Settings] = field(default=lambda config: {})
    """Settings that depend on the configuration of the backbone."""
    remark: Callable[[Any, Any], Settings] = field(default=lambda chosen, confounder: {})
    """What the outcome says beside the metrics, from the chosen value and the Confounder."""

    @property
    def weights_by_drift(self) -> bool:
        """Whether the drift of users is in the weights."""
        return self.weights in ("drift", "shuffled")


def _without_groups(config) -> Settings:
    unused = dict(config["unused_col"] or {})
    return {"unused_col": {**unused, "item": [*(unused.get("item") or []), config["group_field"]]}}


def _twice_as_wide(config) -> Settings:
    return {"embedding_size": 2 * config["embedding_size"]}


def _capped_users(cap: float, confounder) -> Settings:
    """How many users have the greatest weight, of those with clicks."""
    n_clicks = confounder.n_clicks[confounder.n_clicks > 0]
    return {"capped_users": [int((n_clicks * cap <= n_clicks.max()).sum()), len(n_clicks)]}


def _reranked(name: str) -> Method:
    """Make the row of a re-ranker of the backbone's candidates."""
    return Method(RERANKERS[name].title, role="competitor", parameter=RERANKERS[name].weight, reranker=name)


METHODS: dict[str, Method] = {
    "backbone": Method("{backbone}", "backbone"),
    "unawareness": Method("Unawareness", "competitor", settings_of=_without_groups),
    **{name: _reranked(name) for name in dict.fromkeys((*IN_TABLE_3, *RERANKERS))},
    "ips_user": Method(
        "IPS by user",
        "competitor",
        tuple((cap, {"ips": "user", "ips_cap": cap}) for cap in range(2, 11)),
        parameter="c",
        remark=_capped_users,
    ),
    "ips_item": Method(
        "IPS by item",
        "competitor",
        tuple((floor, {"ips": "item", "ips_floor": floor}) for floor in (0.1, 0.3, 0.5, 0.7, 0.9)),
        parameter="least theta",
    ),
    "decrs_wo": Method("DecRS w/o inference", "decrs", twin=True, trains="decrs"),
    "decrs_product": Method(
        "DecRS, operator product", "decrs", ((None, {"backdoor_operator": "product"}),), "alpha", True, "drift"
    ),
    "decrs": Method("DecRS", "decrs", parameter="alpha", twin=True, weights="drift"),
    "ensemble": Method("Ensemble", "control", parameter="alpha", weights="drift", seed_shift=PARTNER),
    "constant": Method("Constant weight", "control", parameter="weight", twin=True, weights="constant", trains="decrs"),
    "shuffled": Method("Shuffled drift", "control", parameter="alpha", twin=True, weights="shuffled", trains="decrs"),
    "confounded": Method("Confounded twin", "control", ((None, {"confounder_prior": "user"}),), "alpha", True, "drift"),
    "free": Method("Free vector", "control", ((None, {"confounder_prior": "learned"}),), "alpha", True, "drift"),
    "wide": Method("Twice as wide", "control", settings_of=_twice_as_wide),
}
"""By the name that ``--methods`` takes, in the order of the tables."""


def reranker_weights(name: str) -> tuple[float, ...]:
    """List the weights of a re-ranker's curve: those of its grid, and then larger ones, as far as it takes them."""
    record = RERANKERS[name]
    larger = (weight for weight in (*RERANKERS["calibration"].grid, *BEYOND_GRID) if weight > max(record.grid))
    return (*record.grid, *filter(record.weight_check.passes, larger))


def _has_embedding_size(config) -> bool:
    """Whether the model reads the key; RecBole's sequential models often have a ``hidden_size`` instead."""
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL:
        return "embedding_size" in config.internal_config_dict
    return config["embedding_size"] is not None


def why_not(name: str, config, twin: type | None) -> str | None:
    """The reason why a method does not go with a backbone; None if it does.

    Args:
        name: of the method.
        config: the configuration of the backbone.
        twin: the deconfounded twin of the backbone, if there is one.
    """
    backbone = config.model_class.__name__
    if METHODS[name].twin and twin is None:
        return f"there is no Dec{backbone}"
    if name.startswith("ips") and not issubclass(config.model_class, BackboneOptions):
        return f"the loss of {backbone} does not weigh samples"
    if name == "wide" and not _has_embedding_size(config):
        return f"{backbone} has no embedding_size"
    if name == "unawareness" and config["MODEL_TYPE"] != ModelType.CONTEXT:
        return f"{backbone} takes no item features"
    loaded = config["load_col"].get("item", ()) if config["load_col"] else "*"
    if name == "unawareness" and loaded not in ("*", None) and config["group_field"] not in loaded:
        return f"the group field {config['group_field']} is no feature of {backbone}"
    if name in ("ensemble", "wide") and config["MODEL_TYPE"] == ModelType.TRADITIONAL:
        return f"{backbone} learns no embeddings, and is the same with every seed"
    return None
