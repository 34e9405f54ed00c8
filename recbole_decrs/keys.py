"""The list of the plugin's own configuration keys says what each one means, its default, and what it may hold.

properties/overall.yaml, from which a run reads the defaults, and the README's table are written from this list by
docs/write_keys.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recbole_decrs.causal import OPERATORS, PRIORS
from recbole_decrs.causal.propensity import IPS
from recbole_decrs.checks import BOOLEAN, LARGEST, Check, is_text, list_of, number, one_in, one_of, text, whole_number
from recbole_decrs.data.group_cells import GROUP_FORMATS
from recbole_decrs.errors import alternatives
from recbole_decrs.rerank import RERANKERS


@dataclass(frozen=True)
class Key:
    """Describe a configuration key that RecBole lacks.

    Attributes:
        name: the key.
        kind: the type of its values, for the reader of the YAML.
        default: the value for models and datasets whose own YAML does not set it.
        check: what it may hold.
        meaning: what it does, in Markdown.
    """

    name: str
    kind: str
    default: Any
    check: Check
    meaning: str


SECTIONS: dict[str, tuple[Key, ...]] = {
    "Confounder (Sec. 2.2)": (
        Key(
            "group_field",
            "str",
            None,
            Check(lambda value: value is None or is_text(value), "the name of a column of the .item file"),
            "The column of the .item file that defines the groups: `token`, `token_seq` or `float_seq` (weights).",
        ),
        Key(
            "group_format",
            "str",
            "auto",
            one_of(*GROUP_FORMATS),
            "How the cells of that column name groups: `single`, `space`, `pipe`, `comma`, `semicolon`, `slash`, "
            "`list`, `json` or `quoted`; `auto` finds out, or stops; see docs/reading.md.",
        ),
        Key(
            "confounder_prior",
            "str",
            "interaction",
            one_of(*PRIORS),
            "What stands for d̄ in M(d̄, u): `interaction` (the paper), `item` (the authors' code) or `uniform`; as "
            "controls `user` (M(d_u, u), the confounded twin) or `learned` (one free vector).",
        ),
        Key(
            "backdoor_operator",
            "str",
            "fm",
            one_of(*OPERATORS),
            "M(d̄, u): `fm` (Eq. 8 over pairs a < b, as FM and the authors' code), `fm_all_pairs` (Eq. 8 as printed) or "
            "`product` (Eq. 7).",
        ),
        Key(
            "delta",
            "float",
            0.5,
            number(0, 1),
            "Late fusion, of models without features: delta f'(u, i) + (1 - delta) f'(M(d̄, u), i).",
        ),
        Key("group_init_std", "float", 0.01, number(0, LARGEST), "Standard deviation of the initial group embeddings."),
    ),
    "Drift and inference (Sec. 2.4)": (
        Key(
            "drift_history",
            "str",
            "train",
            one_of("train", "train+valid"),
            "The clicks that eta_u is measured on: `train`, or `train+valid` as the authors' code.",
        ),
        Key(
            "drift_periods",
            "int",
            2,
            whole_number(2),
            "How many periods of a history eta_u compares (mean over neighbours); the paper's are two.",
        ),
        Key(
            "drift_smoothing",
            "float",
            0.01,
            number(0, 1, above=True),
            "Smoothing of the KL divergence in eta_u, so that an unseen group gives no infinity.",
        ),
        Key(
            "drift_alpha",
            "float or auto",
            0.2,
            Check(lambda value: value == "auto" or number(0).passes(value), "a number >= 0 or auto"),
            "Exponent of Eq. 12; `auto` chooses it on validation, without retraining, from `drift_alpha_grid`.",
        ),
        Key(
            "drift_alpha_grid",
            "list of float",
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 5, 10],
            list_of(number(0).passes, "a list of numbers >= 0"),
            "The candidates of `drift_alpha: auto`.",
        ),
        Key(
            "drift_thresholds",
            "list of float",
            [0, 0.5, 1, 2, 3, 4],
            list_of(number(0).passes, "a list of numbers >= 0"),
            "The user groups eta_u > t of the second table (Table 4 of the paper).",
        ),
        Key(
            "fusion_weight",
            "float",
            None,
            number(0, 1).or_none(),
            "One weight in [0, 1] in place of eta-hat_u for everyone.",
        ),
        Key(
            "fusion_on",
            "str",
            "probability",
            one_of("probability", "logit"),
            "Eq. 11 on `probability` or on `logit`, in `compare` for the ensemble as well.",
        ),
        Key(
            "inference",
            "str",
            "fused",
            one_of("fused", "deconfounded", "conventional"),
            "The ranking that counts as the result: `fused`, `deconfounded` (the paper's w/o) or `conventional`.",
        ),
    ),
    "Evaluation": (
        Key(
            "test_candidates",
            "str",
            "unseen",
            one_of("unseen", "untrained"),
            "The items ranked at test: `unseen`, all but the user's training and validation items, as in RecBole; "
            "`untrained`, all but the training items, as in the paper.",
        ),
    ),
    "Training": (
        Key(
            "backbone_checkpoint",
            "str",
            None,
            text("the path of a checkpoint").or_none(),
            "A checkpoint of a finished training, whose conventional recommender is reused instead of training one.",
        ),
    ),
    "Re-ranking after scoring, of any model": (
        Key(
            "reranker",
            "str",
            None,
            one_in(RERANKERS).or_none(),
            f"Re-rank each user's top items by {alternatives(record.with_source for record in RERANKERS.values())}; "
            "training stops by the ranking without it.",
        ),
        Key(
            "reranker_lambda",
            "float",
            None,
            number(0).or_none(),
            f"The re-ranker's weight, {alternatives(record.weight for record in RERANKERS.values())}; if none, "
            f"{', '.join(f'{record.default:g} for `{name}`' for name, record in RERANKERS.items())}.",
        ),
        Key("reranker_candidates", "int", 100, whole_number(1), "How many of a user's top items are re-ranked."),
    ),
    "Output": (
        Key(
            "save_last",
            "bool",
            True,
            BOOLEAN,
            "Save the last epoch beside the best one until the training has ended, so that `resume` goes on from it.",
        ),
        Key(
            "resume",
            "str",
            None,
            text("the path of a checkpoint, auto").or_none(),
            "Go on with a training that was killed, from its last epoch: the path of its checkpoint, or `auto`, the "
            "newest one with these settings.",
        ),
        Key(
            "save_user_metrics",
            "bool",
            False,
            BOOLEAN,
            "Write every metric per user to a CSV file beside the checkpoint.",
        ),
        Key(
            "save_topk",
            "int",
            None,
            whole_number(1).or_none(),
            "Write each user's list of this length, with scores, to a CSV file beside the checkpoint.",
        ),
    ),
    "Backbone: RecBole's FM and NFM with these off; the same for the conventional and the deconfounded model": (
        Key(
            "group_features",
            "str",
            "pooled",
            one_of("pooled", "separate"),
            "The groups of an item in FM and NFM: `pooled`, one field, the mean of their embeddings (RecBole); "
            "`separate`, of a `token` or `token_seq`, a feature each with the value q^i (the authors' code); "
            "results/ml-100k/authors-models.md compares them.",
        ),
        Key(
            "bi_batch_norm",
            "bool",
            False,
            BOOLEAN,
            "BatchNorm on FM's bi-interaction vector (RecBole's NFM always has it).",
        ),
        Key(
            "mlp_activation",
            "str",
            "sigmoid",
            one_of("relu", "sigmoid", "tanh", "leakyrelu", "none"),
            "Activation of NFM's layers: `sigmoid` (RecBole), `relu`, `tanh`, `leakyrelu` or `none`.",
        ),
        Key(
            "mlp_dropout_prob",
            "float",
            None,
            number(0, 1).or_none(),
            "NFM's dropout after each layer, with `dropout_prob` on the bi-interaction vector alone (the authors' "
            "code); if none, `dropout_prob` before each layer (RecBole).",
        ),
        Key(
            "embedding_init_std",
            "float",
            None,
            number(0, LARGEST).or_none(),
            "Features start at N(0, std^2), first-order weights at 0; if none, as RecBole's (Xavier).",
        ),
        Key("adagrad_initial_accumulator", "float", 0, number(0, LARGEST), "Adagrad's initial accumulator."),
        Key(
            "loss_reduction",
            "str",
            "mean",
            one_of("mean", "sum"),
            "The log loss of a batch is the `mean` or the `sum` over its samples.",
        ),
        Key(
            "embedding_norm_weight",
            "float",
            0,
            number(0, LARGEST),
            "lambda: the loss adds lambda times the Frobenius norm of the feature embeddings.",
        ),
        Key(
            "ips",
            "str",
            None,
            one_of(*IPS).or_none(),
            "Inverse propensity scoring of the samples of FM and NFM: `user` (the paper's variant) or `item` "
            "(Saito et al. 2020).",
        ),
        Key("ips_cap", "float", 10, number(1), "The greatest weight of a user's samples with `ips: user`."),
        Key("ips_floor", "float", 0.1, number(0, 1, above=True), "The least propensity of an item with `ips: item`."),
        Key(
            "torch_compile",
            "bool",
            False,
            BOOLEAN,
            "Compile what training of FM and NFM computes of a batch; needs a C++ compiler.",
        ),
    ),
}
"""The keys by the headings of overall.yaml, in the order of the README."""

KEYS: dict[str, Key] = {key.name: key for keys in SECTIONS.values() for key in keys}
"""The keys by name."""
