"""Lists the keys of the paper's backbones, FM and NFM, and of their training."""

from __future__ import annotations

from recbole_decrs.causal.propensity import IPS
from recbole_decrs.checks import BOOLEAN, LARGEST, number, one_of
from recbole_decrs.keys.record import Key

OF_BACKBONE: dict[str, tuple[Key, ...]] = {
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
            in_compare=(None,),
        ),
        Key(
            "ips_cap",
            "float",
            10,
            number(1),
            "The greatest weight of a user's samples with `ips: user`.",
            used_with=("ips", "user"),
        ),
        Key(
            "ips_floor",
            "float",
            0.9,
            number(0, 1, above=True),
            "The least propensity of an item with `ips: item`; with 0.7, training on ML-100K runs away.",
            used_with=("ips", "item"),
        ),
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
