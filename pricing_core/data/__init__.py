"""From a shop's files to canonical tables: read, map columns, clean, report quality, classify columns.

Import from the modules: :mod:`~pricing_core.data.importing` is the way in,
:mod:`~pricing_core.data.samples` holds the shops that come with the project.
"""
