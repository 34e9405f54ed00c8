"""FwFM, which also knows the fields that RecBole's has no name for: float_seq features, and M."""

from __future__ import annotations

from recbole.model.context_aware_recommender.fwfm import FwFM as RecBoleFwFM

from recbole_decrs.model.pairwise import PairwiseFullSort


class FwFM(PairwiseFullSort, RecBoleFwFM):
    """Field-weighted factorization machine (Pan et al. 2018); RecBole's fails on float_seq features."""

    def _get_feature2field(self) -> None:
        super()._get_feature2field()
        for place in range(self.num_features):
            self.feature2field.setdefault(place, len(set(self.feature2field.values())))
