"""Gives RecBole's context-aware models a fast full sort, and each of them a deconfounded twin."""

from __future__ import annotations

from recbole.model import context_aware_recommender as recbole_models

from recbole_decrs.model.deconfound import deconfound
from recbole_decrs.model.fm import FM
from recbole_decrs.model.fwfm import FwFM
from recbole_decrs.model.nfm import NFM
from recbole_decrs.model.pairwise import with_full_sort
from recbole_decrs.model.registry import register_model

# FM, NFM and FwFM are in rooms of their own; of FFM and LR there is no twin, see NOT_DECONFOUNDED in deconfound.py.
AFM = register_model(with_full_sort(recbole_models.AFM))
AutoInt = register_model(with_full_sort(recbole_models.AutoInt))
DCN = register_model(with_full_sort(recbole_models.DCN))
DCNV2 = register_model(with_full_sort(recbole_models.DCNV2))
DeepFM = register_model(with_full_sort(recbole_models.DeepFM))
DSSM = register_model(with_full_sort(recbole_models.DSSM))
EulerNet = register_model(with_full_sort(recbole_models.EulerNet))
FFM = register_model(with_full_sort(recbole_models.FFM))
FiGNN = register_model(with_full_sort(recbole_models.FiGNN))
FNN = register_model(with_full_sort(recbole_models.FNN))
KD_DAGFM = register_model(with_full_sort(recbole_models.KD_DAGFM))
LR = register_model(with_full_sort(recbole_models.LR))
PNN = register_model(with_full_sort(recbole_models.PNN))
WideDeep = register_model(with_full_sort(recbole_models.WideDeep))
xDeepFM = register_model(with_full_sort(recbole_models.xDeepFM))

DecAFM = deconfound(AFM)
DecAutoInt = deconfound(AutoInt)
DecDCN = deconfound(DCN)
DecDCNV2 = deconfound(DCNV2)
DecDeepFM = deconfound(DeepFM)
DecDSSM = deconfound(DSSM)
DecEulerNet = deconfound(EulerNet)
DecFiGNN = deconfound(FiGNN)
DecFM = deconfound(FM)
"""Methods of DecFM are looked for in this order, so that each class goes over those below it::

    DecFM                   names its backbone, FM
    Deconfounded            refuses a model whose group embeddings receive no gradient
    FM                      the plugin's: BatchNorm and dropout on the bi-interaction vector
    PaperTrainingOptions    initial values, loss and weights of samples, as the paper's setting has them
    TwoSided                full sort in closed form, and training by ids, from the sides of a pair
    FM                      RecBole's: sizes its layers by the number of feature fields
    BackdoorRecommender     adds M(d-bar, u) to the feature fields
    ContextRecommender      RecBole's: embeds the feature fields
    AbstractRecommender     RecBole's
"""
DecFNN = deconfound(FNN)
DecFwFM = deconfound(FwFM)
DecKD_DAGFM = deconfound(KD_DAGFM)
DecNFM = deconfound(NFM)
DecPNN = deconfound(PNN)
DecWideDeep = deconfound(WideDeep)
DecxDeepFM = deconfound(xDeepFM)
