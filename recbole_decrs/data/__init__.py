"""The dataset hook: reads the group field, hands out a Confounder; and RecBole's loaders around it."""
