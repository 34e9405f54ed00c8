"""Serves lists from a trained model: to its users, and to new ones who are folded in by their clicks.

It is called serving, since ``recbole_decrs.recommend`` is its function.
"""

from recbole_decrs.serving.recommender import Recommender, recommend

__all__ = ["Recommender", "recommend"]
