"""Time of the re-rankers for 1,000 users with 100 candidates on ML-1M, against literal loops from their definitions."""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from common import arguments, environment, interleave, prepare, quiet

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "rerank"))


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=3, candidates=100, length=20, loop_users=2)
    quiet()
    import literal
    from recbole_decrs.rerank import RERANKERS

    _, train_data, *_ = prepare("BPR", chosen.data_path)
    confounder = train_data.dataset.confounder
    users = torch.as_tensor(np.flatnonzero(confounder.n_clicks))
    generator = torch.Generator().manual_seed(0)
    n_items = confounder.sparse_membership.shape[0]
    scores, places = torch.rand(len(users), n_items - 1, generator=generator).topk(chosen.candidates)
    items = places + 1
    sides = {
        name: lambda record=record: record(scores, items, confounder, users, record.default, chosen.length)
        for name, record in RERANKERS.items()
    }
    seconds = interleave(sides, chosen.rounds)
    print(f"\n| re-ranker | {len(users):,} users [s] | 1,000 users [s] | loop, 1,000 users [s] | times faster |")
    print("|---|---|---|---|---|")
    for name, values in seconds.items():
        median = float(np.median(values))
        start = time.perf_counter()
        for row in range(chosen.loop_users):
            literal.RERANKERS[name](
                scores[row].tolist(),
                items[row].tolist(),
                confounder,
                int(users[row]),
                RERANKERS[name].default,
                chosen.length,
            )
        loop = (time.perf_counter() - start) / chosen.loop_users * 1000
        per_1000 = median / len(users) * 1000
        print(f"| {name} | {median:.2f} | {per_1000:.3f} | {loop:.0f} | {loop / per_1000:.0f} |")
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
