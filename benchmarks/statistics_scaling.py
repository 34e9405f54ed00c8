"""d_u, d-bar and eta_u for up to 50 million clicks of a million users on 100,000 items in 253 groups."""

import resource
import sys
import time

import numpy as np
from common import arguments, environment


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=1, users=1_000_000, items=100_000, groups=253, largest=50)
    from recbole_decrs.causal import estimate_confounder, membership_from_labels

    rng = np.random.default_rng(0)
    labelled = np.repeat(np.arange(1, chosen.items), 2)
    membership = membership_from_labels(
        labelled, rng.integers(chosen.groups, size=len(labelled)), chosen.items, chosen.groups
    )
    names = tuple(map(str, range(chosen.groups)))
    print("\n| million clicks | users | seconds | microseconds a click | peak memory [GiB] |\n|---|---|---|---|---|")
    for millions in (1, 5, 20, 50):
        if millions > chosen.largest:
            break
        n = millions * 1_000_000
        n_users = max(2, chosen.users * millions // 50)  # 50 clicks a user
        users = rng.integers(1, n_users, size=n, dtype=np.int64)
        items = rng.integers(1, chosen.items, size=n, dtype=np.int64)
        start = time.perf_counter()
        confounder = estimate_confounder(names, membership, users, items, n_users, (users, items))
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(f"| {millions} | {n_users:,} | {seconds:.1f} | {1e6 * seconds / n:.2f} | {peak:.1f} |", flush=True)
        assert abs(confounder.prior.sum() - 1) < 1e-9
        del confounder, users, items
    print(f"\n{environment()}\ncommand: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
