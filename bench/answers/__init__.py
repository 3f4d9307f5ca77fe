"""Measure answers: what they cite, claim, refuse, leak and cost, for any language model and for none."""
