"""Personalized pricing: files become tables, tables two models, the models a price response."""
