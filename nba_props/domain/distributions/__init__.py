"""Distributions of results: shapes fitted to past results, the probability of each result, and their scores.

Belongs here: how results lie around a consensus or a forecast. Not here: the consensus itself (domain/consensus.py), or
training of models (domain/models).
"""
