"""Prices from a price response: closed form, posterior mean optimum, and the strategies that a shop can choose."""
