"""Keeping customers private: pseudonyms in place of their ids."""
