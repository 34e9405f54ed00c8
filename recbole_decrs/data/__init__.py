"""Hooks on to RecBole's dataset and loaders: reads the group field, and hands out a Confounder."""
