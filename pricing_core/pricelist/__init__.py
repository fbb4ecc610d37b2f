"""Price lists: what a shop takes home.

:func:`~pricing_core.pricelist.build.build_price_list` turns priced rows into the native columns. People then decide:
:mod:`~pricing_core.pricelist.decisions` lays accepted, held and overridden prices over the proposals,
:mod:`~pricing_core.pricelist.violations` finds what is wrong with them, and :mod:`~pricing_core.pricelist.history`
knows the lowest price of the last thirty days. :mod:`~pricing_core.pricelist.lifecycle` is the way from a draft to a
list that is live. :mod:`~pricing_core.pricelist.formats` writes a list for a spreadsheet or for another system.
"""
