"""Searches hyper-parameters with Optuna: trials that are pruned, kept, gone on with, and shared among workers."""
