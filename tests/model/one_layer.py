"""A context-aware model of one's own, which tests change in one place or another."""

from recbole.model.abstract_recommender import ContextRecommender
from torch import nn


class OneLayer(ContextRecommender):
    """A model of one's own: a linear layer over the fields."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.layer = self.make_layer(self.num_feature_field * self.embedding_size)
        self.loss = nn.BCEWithLogitsLoss()

    def make_layer(self, width):
        return nn.Linear(width, 1)

    def of_fields(self, fields, interaction):
        return self.layer(fields.flatten(1))

    def forward(self, interaction):
        return self.of_fields(self.concat_embed_input_fields(interaction), interaction).squeeze(1)

    def calculate_loss(self, interaction):
        return self.loss(self.forward(interaction), interaction[self.LABEL])

    def predict(self, interaction):
        return self.forward(interaction).sigmoid()
