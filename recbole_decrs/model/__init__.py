"""Holds the recommenders: backbones with the paper's options, their deconfounded twins, and the two fused."""

from recbole_decrs.model.backdoor import BackdoorRecommender
from recbole_decrs.model.context_aware import DecFM, DecNFM
from recbole_decrs.model.fm import FM
from recbole_decrs.model.fused import FusedRecommender
from recbole_decrs.model.fwfm import FwFM
from recbole_decrs.model.nfm import NFM

__all__ = ["FM", "NFM", "BackdoorRecommender", "DecFM", "DecNFM", "FusedRecommender", "FwFM"]
