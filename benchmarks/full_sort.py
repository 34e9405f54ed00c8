"""Full-sort evaluation of the test part: RecBole's FM, BPR and DeepFM against the plugin's models."""

import torch
from common import PLAIN, arguments, interleave, prepare, quiet, report

USERS_COMPARED = 50


def main() -> None:
    """Print the tables, with times relative to RecBole's models."""
    chosen = arguments(__doc__, rounds=5, fm_rounds=3, fm_batch=4096, bpr_batch=1048576)
    quiet()
    from recbole.model.context_aware_recommender.deepfm import DeepFM as RecBoleDeepFM
    from recbole.model.context_aware_recommender.fm import FM as RecBoleFM
    from recbole.model.general_recommender.bpr import BPR
    from recbole.trainer import Trainer

    from recbole_decrs.model import DecFM, DecNFM, FusedRecommender
    from recbole_decrs.model.catalogue import find_model
    from recbole_decrs.single_trainer import trainer_for
    from recbole_decrs.trainer import DecRSTrainer

    accuracy = {"metrics": ["Recall", "NDCG"], "valid_metric": "Recall@10"}

    def recbole(model_class, batch):
        settings = PLAIN | accuracy | {"eval_batch_size": batch}
        config, train_data, _, test_data = prepare(model_class.__name__, chosen.data_path, **settings)
        trainer = Trainer(config, model_class(config, train_data.dataset))
        return lambda: trainer.evaluate(test_data, load_best_model=False)

    def ours(name, short_cuts=True):
        config, train_data, _, test_data = prepare(name, chosen.data_path, **accuracy)
        model = find_model(name)(config, train_data.dataset)
        if not short_cuts:
            model._fastest = lambda score, *_: score
        trainer = trainer_for(config)(config, model)
        return lambda: trainer.evaluate(test_data, load_best_model=False)

    def fused(model_class, three_rankings):
        config, train_data, _, test_data = prepare(model_class.__name__, chosen.data_path, **accuracy)
        model = FusedRecommender(config, train_data.dataset)
        model.set_weight(train_data.dataset.confounder.normalized_drift(0.2))
        trainer = (DecRSTrainer if three_rankings else trainer_for(config))(config, model)
        return lambda: trainer.evaluate(test_data, load_best_model=False)

    fm = {f"RecBole FM, eval_batch_size {chosen.fm_batch}": recbole(RecBoleFM, chosen.fm_batch)}
    sides = {
        "RecBole BPR": recbole(BPR, chosen.bpr_batch),
        "FM": ours("FM"),
        "DecFM": ours("DecFM"),
        "DecFM fused (two models)": fused(DecFM, three_rankings=False),
        "DecFM, all three rankings": fused(DecFM, three_rankings=True),
        "DecNFM": ours("DecNFM"),
        "DecNFM fused (two models)": fused(DecNFM, three_rankings=False),
    }
    report(interleave(sides, chosen.rounds), "RecBole BPR")
    report(interleave(fm | sides, chosen.fm_rounds), next(iter(fm)))
    name = f"RecBole DeepFM, eval_batch_size {chosen.fm_batch}"
    deep = {
        name: recbole(RecBoleDeepFM, chosen.fm_batch),
        "DeepFM": ours("DeepFM"),
        "DeepFM, each pair embedded": ours("DeepFM", short_cuts=False),
        "DecDeepFM": ours("DecDeepFM"),
    }
    report(interleave(deep, chosen.fm_rounds), name)
    for name in ("DeepFM", "DecDeepFM"):
        config, train_data, _, _ = prepare(name, chosen.data_path, **accuracy)
        difference, spread = difference_to_predict(find_model(name)(config, train_data.dataset), train_data.dataset)
        print(f"{name}: scores have a spread of {spread:.2f} and differ from RecBole's by {difference:.1e} at most")


@torch.no_grad()
def difference_to_predict(model, dataset) -> tuple[float, float]:
    """Greatest difference of the full sort to ``predict`` on RecBole's joined rows, with weights far from zero."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.normal_(std=0.1)
    model.eval()
    asked = torch.arange(1, USERS_COMPARED + 1)
    full = model.full_sort_predict(dataset.get_user_feature()[asked])
    by_pairs = torch.empty_like(full)
    for row, user in enumerate(asked):
        pairs = dataset.get_item_feature()
        pairs.update(dataset.get_user_feature()[user.repeat(len(pairs))])
        by_pairs[row] = model.predict(pairs)
    return (full - by_pairs).abs().max().item(), full.std().item()


if __name__ == "__main__":
    main()
