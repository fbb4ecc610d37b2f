"""The only shared Streamlit code: page frame, workspace, cache, job panel, forms and tables.

Nothing here computes a business number; whatever is shown was computed in ``pricing_core``.
"""
