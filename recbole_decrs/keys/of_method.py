"""Lists the keys of the paper's method: the confounder, the operator, drift, and the ranking that is the result."""

from __future__ import annotations

from recbole_decrs.causal import OPERATORS, PRIORS
from recbole_decrs.checks import LARGEST, Check, is_text, list_of, number, one_of, whole_number
from recbole_decrs.data.group_cells import GROUP_FORMATS
from recbole_decrs.evaluator.rankings import RANKINGS
from recbole_decrs.keys.record import Key

OF_METHOD: dict[str, tuple[Key, ...]] = {
    "Confounder (Sec. 2.2)": (
        Key(
            "group_field",
            "str",
            None,
            Check(lambda value: value is None or is_text(value), "a column of the .item file, or popularity"),
            "The column of the .item file that defines the groups: `token`, `token_seq` or `float_seq` (weights); or "
            "`popularity`: head, middle and tail by the training clicks (docs/import.md).",
            of_dataset=True,
        ),
        Key(
            "group_format",
            "str",
            "auto",
            one_of(*GROUP_FORMATS),
            "How the cells of that column name groups: `single`, `space`, `pipe`, `comma`, `semicolon`, `slash`, "
            "`list`, `json` or `quoted`; `auto` finds out, or stops; see docs/reading.md.",
            of_dataset=True,
        ),
        Key(
            "confounder_prior",
            "str",
            "interaction",
            one_of(*PRIORS, "recent"),
            "What stands for d̄ in M(d̄, u): `interaction` (the paper), `item` (the authors' code) or `uniform`; as "
            "controls `user` (M(d_u, u), the confounded twin) or `learned` (one free vector); `recent`, d of the later "
            "half of the user's history.",
            in_compare=("interaction", "item", "uniform"),
        ),
        Key(
            "confounder_training",
            "str",
            "prior",
            one_of("prior", "user", "history"),
            "What stands for d in M(d, u) in training: `prior`, the same as when ranking (the paper); `user`, d_u; "
            "`history` (FM, NFM), d of the user's clicks before each click, so that ranking sets d by intervention.",
            in_compare=("prior",),
        ),
        Key(
            "confounder_periods",
            "int",
            4,
            whole_number(1),
            "How many periods of a history have a d of their own in `confounder_training: history`.",
        ),
        Key(
            "confounder_smoothing",
            "float",
            10,
            number(0, LARGEST, above=True),
            "How many clicks distributed as d̄ are added to those that `history` and `recent` count.",
        ),
        Key(
            "backdoor_operator",
            "str",
            "fm",
            one_of(*OPERATORS),
            "M(d̄, u): `fm` (Eq. 8 over pairs a < b, as FM and the authors' code), `fm_all_pairs` (Eq. 8 as printed) or "
            "`product` (Eq. 7).",
            in_compare=("fm", "fm_all_pairs"),
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
            "The clicks that eta_u is measured on: `train`, or `train+valid` as the authors' code; `compare` "
            "chooses alpha by that of `train`.",
            of_dataset=True,
            of_drift=True,
        ),
        Key(
            "drift_periods",
            "int",
            2,
            whole_number(2),
            "How many periods of a history eta_u compares (mean over neighbours); the paper's are two.",
            of_dataset=True,
            of_drift=True,
        ),
        Key(
            "drift_smoothing",
            "float",
            0.01,
            number(0, 1, above=True),
            "Smoothing of the KL divergence in eta_u, so that an unseen group gives no infinity.",
            of_dataset=True,
            of_drift=True,
        ),
        Key(
            "drift_alpha",
            "float or auto",
            0.2,
            Check(lambda value: value == "auto" or number(0).passes(value), "a number >= 0 or auto"),
            "Exponent of Eq. 12; `auto` chooses it on validation, without retraining, from `drift_alpha_grid`.",
            changes_training=False,
        ),
        Key(
            "drift_alpha_grid",
            "list of float",
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 5, 10],
            list_of(number(0).passes, "a list of numbers >= 0"),
            "The candidates of `drift_alpha: auto`.",
            changes_training=False,
        ),
        Key(
            "drift_thresholds",
            "list of float",
            [0, 0.5, 1, 2, 3, 4],
            list_of(number(0).passes, "a list of numbers >= 0"),
            "The user groups eta_u > t (Table 4 of the paper), those of the second table with `user_groups: drift`.",
            changes_training=False,
        ),
        Key(
            "fusion_weight",
            "float",
            None,
            number(0, 1).or_none(),
            "One weight in [0, 1] in place of eta-hat_u for everyone.",
            in_compare=(None,),
        ),
        Key(
            "fusion_on",
            "str",
            "probability",
            one_of("probability", "logit"),
            "Eq. 11 on `probability` or on `logit`, in `compare` for the ensemble as well.",
            changes_training=False,
        ),
        Key(
            "inference",
            "str",
            "fused",
            one_of(*RANKINGS),
            "The ranking that counts as the result: `fused`, `deconfounded` (the paper's w/o) or `conventional`.",
            in_compare=("fused",),
        ),
    ),
}
"""The keys by the headings of overall.yaml, in the order of the README."""
