"""Makes RecBole's FwFM take the fields that it has no name for: float_seq features, and M."""

from __future__ import annotations

from recbole.model.context_aware_recommender.fwfm import FwFM as RecBoleFwFM

from recbole_decrs.model.pairwise import PairwiseFullSort
from recbole_decrs.model.registry import register_model


@register_model
class FwFM(PairwiseFullSort, RecBoleFwFM):
    """Lets RecBole's field-weighted factorization machine (Pan et al. 2018) take float_seq features, on which it fails.

    The weights of pairs of fields are random and are not trained, as in RecBole; here a checkpoint has them.
    """

    def __init__(self, config, dataset) -> None:
        super().__init__(config, dataset)
        weight = self.weight.detach()
        del self.weight
        self.register_buffer("weight", weight)

    def _get_feature2field(self) -> None:
        super()._get_feature2field()
        for place in range(self.num_features):
            self.feature2field.setdefault(place, ("not named", place))
        numbers = {field: number for number, field in enumerate(dict.fromkeys(self.feature2field.values()))}
        self.feature2field = {place: numbers[field] for place, field in self.feature2field.items()}
