"""Lists of 20 items for all 6,040 users of ML-1M from a loaded model, beside RecBole's full_sort_topk.

The models are not trained, which changes no time.
"""

import tempfile
import time

from common import SETTINGS, arguments, interleave, quiet, report


def main() -> None:
    """Print a table for each model."""
    chosen = arguments(__doc__, rounds=3, models="FM,DecFM,DecNFM,BPR", k=20)
    quiet()
    from recbole.utils.case_study import full_sort_topk

    from recbole_decrs import run_recbole_decrs
    from recbole_decrs.serving import Recommender

    for model in chosen.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            settings = {**SETTINGS, "data_path": chosen.data_path, "checkpoint_dir": folder, "report": False}
            result = run_recbole_decrs(model, "ml-1m", config_dict={**settings, "epochs": 1})
            recommender = Recommender(result["saved_model_file"])
        users = recommender.known.ids(None)
        tested = [user for user in users.tolist() if recommender.known.test.uid2positive_item[user] is not None]

        def of_recbole(recommender=recommender, tested=tested):
            return full_sort_topk(tested, recommender.model, recommender.known.test, k=chosen.k)

        sides = {
            f"{model}: recommend, {len(users)} users": lambda recommender=recommender: recommender.recommend(
                k=chosen.k
            ),
            f"{model}: full_sort_topk, {len(tested)} users, ids and scores alone": of_recbole,
        }
        report(interleave(sides, chosen.rounds, time.process_time), next(iter(sides)), "s of the processor")


if __name__ == "__main__":
    main()
