"""Brings what users have registered in this process to a worker, which is another process."""

from __future__ import annotations

from dataclasses import dataclass

from recbole_decrs.evaluator.registry import METRICS, metric
from recbole_decrs.model.registry import MODELS, is_of_the_plugin, register_model
from recbole_decrs.rerank import RERANKERS, RERANKERS_OF_THE_PACKAGE
from recbole_decrs.rerank.registry import RegisteredReranker


@dataclass(frozen=True)
class OnesOwn:
    """Holds the models, metrics and re-rankers that come neither from RecBole nor from the plugin."""

    models: list[type]
    metrics: list[type]
    rerankers: dict[str, RegisteredReranker]

    @classmethod
    def here(cls) -> OnesOwn:
        """Gather those of this process."""
        return cls(
            [model for model in MODELS.values() if not is_of_the_plugin(model)],
            [kind for kind in METRICS.values() if not kind.__module__.startswith("recbole_decrs.")],
            {name: one for name, one in RERANKERS.items() if name not in RERANKERS_OF_THE_PACKAGE},
        )

    def enter(self) -> None:
        """Register them in this process."""
        for model in self.models:
            register_model(model)
        for kind in self.metrics:
            metric(kind)
        RERANKERS.update(self.rerankers)
