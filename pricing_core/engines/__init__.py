"""Tables that are too large for memory: read in pieces, kept on disk, and asked with DuckDB.

A column is kept as the number of its value among the different values of the column. The rules that read cells are
those of :mod:`pricing_core.data`; they see each different value once, with the number of its rows.
"""
