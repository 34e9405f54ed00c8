"""Lists the keys of a run of any model: what is ranked at test, where training starts, re-ranking, and files."""

from __future__ import annotations

from recbole_decrs.checks import BOOLEAN, number, one_in, one_of, text, whole_number
from recbole_decrs.errors import alternatives
from recbole_decrs.keys.record import Key
from recbole_decrs.rerank import RERANKERS

OF_RUN: dict[str, tuple[Key, ...]] = {
    "Evaluation": (
        Key(
            "test_candidates",
            "str",
            "unseen",
            one_of("unseen", "untrained"),
            "The items ranked at test: `unseen`, all but the user's training and validation items, as in RecBole; "
            "`untrained`, all but the training items, as in the paper.",
            changes_training=False,
            of_dataset=True,
        ),
        Key(
            "user_groups",
            "str",
            "drift",
            text("drift, activity or the name of a column of the .user file"),
            "The groups of users in the second table and in the report: `drift`, eta_u above each of "
            "`drift_thresholds`; `activity`, thirds by the number of training clicks; or a column of the .user file, "
            "which need not be loaded: of a `token` column the ten largest values, and the rest together, of a "
            "`float` column thirds.",
            changes_numbers=False,
            of_dataset=True,
        ),
    ),
    "Training": (
        Key(
            "backbone_checkpoint",
            "str",
            None,
            text("the path of a checkpoint").or_none(),
            "A checkpoint of a finished training, whose conventional recommender is reused instead of training one.",
            kept_in_checkpoints=False,
            in_compare=(None,),
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
            in_compare=(None,),
        ),
        Key(
            "reranker_lambda",
            "float",
            None,
            number(0).or_none(),
            f"The re-ranker's weight, {alternatives(record.weight for record in RERANKERS.values())}; if none, "
            f"{', '.join(f'{record.default:g} for `{name}`' for name, record in RERANKERS.items())}.",
            in_compare=(None,),
        ),
        Key(
            "reranker_candidates",
            "int",
            100,
            whole_number(1),
            "How many of a user's top items are re-ranked.",
            changes_training=False,
        ),
    ),
    "Output": (
        Key(
            "verbose",
            "bool",
            False,
            BOOLEAN,
            "Show on the console all that the log file has, as RecBole does; else results, warnings and files alone.",
            changes_numbers=False,
        ),
        Key(
            "save_last",
            "bool",
            True,
            BOOLEAN,
            "Save the last epoch beside the best one until the training has ended, so that `resume` goes on from it.",
            changes_numbers=False,
        ),
        Key(
            "resume",
            "str",
            None,
            text("the path of a checkpoint, auto").or_none(),
            "Go on with a training that was killed, from its last epoch: the path of its checkpoint, or `auto`, the "
            "newest one with these settings.",
            changes_numbers=False,
            kept_in_checkpoints=False,
        ),
        Key(
            "report",
            "bool",
            True,
            BOOLEAN,
            "Write the page of the run (docs/report.md) beside its checkpoint, or of `compare` into its folder.",
            changes_numbers=False,
        ),
        Key(
            "save_user_metrics",
            "bool",
            False,
            BOOLEAN,
            "Write every metric per user to a CSV file beside the checkpoint.",
            changes_numbers=False,
        ),
        Key(
            "save_topk",
            "int",
            None,
            whole_number(1).or_none(),
            "Write each user's list of this length, with scores, to a CSV file beside the checkpoint.",
            changes_numbers=False,
        ),
    ),
}
"""The keys by the headings of overall.yaml, in the order of the README."""
