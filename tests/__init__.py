"""Promises with proofs: a test's name is the sentence."""
