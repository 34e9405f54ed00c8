"""One training epoch: RecBole's FM against the plugin's FM, DecFM, NFM, DecNFM, the same settings."""

from functools import partial
from unittest.mock import patch

from common import PLAIN, arguments, interleave, prepare, quiet, report


def main() -> None:
    """Print the table."""
    chosen = arguments(__doc__, rounds=3, compiled=0, paper=0)
    quiet()
    from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
    from recbole.trainer import Trainer

    from recbole_decrs import row_adagrad
    from recbole_decrs.data.id_loader import IdLoader
    from recbole_decrs.model import compiled_sides, in_place_gradients
    from recbole_decrs.model.catalogue import find_model
    from recbole_decrs.single_trainer import trainer_for

    sides = {}
    without_loops = patch.object(compiled_sides, "can_loop_over", lambda table: False)

    def with_formulas(trainer, loader):
        with without_loops, patch.object(row_adagrad, "can_loop_over", lambda table: False):
            trainer._train_epoch(loader, 0)

    def with_torchs_gradients(trainer, loader):
        with without_loops, patch.object(in_place_gradients, "can_add_in_place", lambda *tables: False):
            trainer._train_epoch(loader, 0)

    config, train_data, *_ = prepare("FM", chosen.data_path, **PLAIN)
    recbole = Trainer(config, RecBoleFM(config, train_data.dataset).to(config["device"]))
    sides["RecBole FM"] = lambda trainer=recbole, data=train_data: trainer._train_epoch(data, 0)
    variants = [("", PLAIN)]
    variants += [(", the paper's options", {})] if chosen.paper else []
    variants += [(", torch_compile", PLAIN | {"torch_compile": True})] if chosen.compiled else []
    for suffix, options in variants:
        for name in ("FM", "DecFM", "NFM", "DecNFM"):
            config, train_data, *_ = prepare(name, chosen.data_path, **options)
            trainer = trainer_for(config)(config, find_model(name)(config, train_data.dataset).to(config["device"]))
            loader = IdLoader(train_data, config["device"])
            sides[name + suffix] = lambda trainer=trainer, data=loader: trainer._train_epoch(data, 0)
            if name == "DecFM" and suffix in ("", ", the paper's options"):
                sides[f"{name}{suffix}, without compiled loops"] = partial(with_formulas, trainer, loader)
            if name == "DecFM" and not suffix:
                sides[f"{name}, torch's gradients"] = partial(with_torchs_gradients, trainer, loader)
    report(interleave(sides, chosen.rounds), "RecBole FM")


if __name__ == "__main__":
    main()
