"""RecBole metrics of bias amplification, what collects for them, and the results by user."""
