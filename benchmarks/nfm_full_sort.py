"""Full sort of NFM's layers on random sides: pair by pair against layers folded, and the machine's limit of either.

With one thread seconds are those of the processor, which other programs hardly disturb; with more, those of the clock.
"""

import copy
import statistics
import time
from operator import truediv

import torch
from common import arguments, environment, interleave
from torch import nn

SIZE = 64
LAYERS = [("relu", [64]), ("sigmoid", [64]), ("tanh", [64]), ("none", [64]), ("relu", [64, 64, 64])]
ONE_BY_ONE, FOLDED, PRODUCTS, ACTIVATIONS = "one by one", "folded", "matrix products", "activations"


class Layers(nn.Module):
    """NFM's layers without its embeddings, with statistics of BatchNorm that are not 0 and 1."""

    def __init__(self, activation: str, hidden: list[int]) -> None:
        from recbole.model.layers import MLPLayers

        super().__init__()
        self.bn = nn.BatchNorm1d(SIZE)
        self.mlp_layers = MLPLayers([SIZE, *hidden], 0.3, activation=activation, bn=True)
        self.predict_layer = nn.Linear(hidden[-1], 1, bias=False)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)

    def logits_of(self, bi_interaction: torch.Tensor) -> torch.Tensor:
        """The logits as NFM has them."""
        return self.predict_layer(self.mlp_layers(self.bn(bi_interaction))).squeeze(-1)


@torch.no_grad()
def main() -> None:
    """Print the table."""
    from recbole_decrs.model.folded_layers import fold
    from recbole_decrs.model.layered_pairs import layered_pairs
    from recbole_decrs.model.sides import Side
    from recbole_decrs.model.two_sided import TwoSided

    chosen = arguments(__doc__, rounds=7, users=16, items=16845)
    torch.manual_seed(0)
    users, items = (Side(*torch.randn(2, n, SIZE), torch.zeros(n)) for n in (chosen.users, chosen.items))
    in_double = [Side(*(tensor.double() for tensor in side)) for side in (users, items)]
    rows = []
    for activation, hidden in LAYERS:
        model = Layers(activation, hidden).eval()
        folded = fold((model.bn, model.mlp_layers, model.predict_layer), users.total)
        sides = {
            ONE_BY_ONE: lambda model=model: TwoSided.pair_logits(model, users, items),
            FOLDED: lambda folded=folded: layered_pairs(users, items, folded),
            **alone(activation, len(hidden), chosen.users * chosen.items),
        }
        seconds = interleave(sides, chosen.rounds, time.process_time if chosen.threads == 1 else time.perf_counter)
        exact = TwoSided.pair_logits(copy.deepcopy(model).double(), *in_double)
        errors = [((sides[name]() - exact).abs().max() / exact.std()).item() for name in (ONE_BY_ONE, FOLDED)]
        rows.append((f"{activation}, {hidden}", seconds, errors))
    print("\nNanoseconds a pair, the median of the rounds and in brackets the least\n")
    print(f"| layers | {ONE_BY_ONE} | {FOLDED} | times faster | {PRODUCTS} alone | {ACTIVATIONS} alone | rounds |")
    print("|---|---|---|---|---|---|---|")
    for name, seconds, _ in rows:
        ns = {side: [1e9 * each / chosen.users / chosen.items for each in of] for side, of in seconds.items()}
        ratio = statistics.median(map(truediv, seconds[ONE_BY_ONE], seconds[FOLDED]))
        least = min(seconds[ONE_BY_ONE]) / min(seconds[FOLDED])
        before, after, *limits = (f"{statistics.median(of):.0f} ({min(of):.0f})" for of in ns.values())
        cells = [name, before, after, f"{ratio:.2f} ({least:.2f})", *limits, str(chosen.rounds)]
        print(f"| {' | '.join(cells)} |")
    print(
        "\nGreatest error against double precision, of the logits' standard deviation, one by one and folded: ", end=""
    )
    print("; ".join(f"{name} {before:.0e}, {after:.0e}" for name, _, (before, after) in rows))
    print(environment())


def alone(activation: str, n_layers: int, n_pairs: int):
    """The layers' matrix products, and their activations, of so many pairs with all else left out, and in cache."""
    n_rows, n_users = 512, 16
    left, right, out = torch.randn(n_rows, SIZE), torch.randn(SIZE, n_users * SIZE), torch.empty(n_rows, n_users * SIZE)
    values = torch.randn(2048, SIZE)
    activate = {"relu": torch.relu_, "sigmoid": torch.sigmoid_, "tanh": torch.tanh_, "none": lambda z: z}[activation]

    def products():
        for _ in range(n_layers * n_pairs // (n_rows * n_users)):
            torch.mm(left, right, out=out)

    def activations():
        for _ in range(n_layers * n_pairs // len(values)):
            activate(values)

    return {PRODUCTS: products, ACTIVATIONS: activations}


if __name__ == "__main__":
    main()
