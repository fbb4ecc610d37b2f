"""Price lists: what a shop takes home.

:func:`~pricing_core.pricelist.build.build_price_list` turns priced rows into the native columns;
:mod:`~pricing_core.pricelist.export` writes them for a spreadsheet or for another system.
"""
