"""Data: can I trust the data?"""

from __future__ import annotations

import streamlit as st

from pages.components import (
    columns,
    customer_features,
    empty,
    import_form,
    job_panel,
    occasions,
    quality,
    repairs,
    versions,
)
from pages.components.frame import start_page

with start_page("Data", "Can I trust the data?", icon=":material/table_chart:") as page:
    if page.dataset_id is None:
        empty.no_data(page, link=False)
        quality.refused(page)
        import_form.show(page)
        st.stop()
    job_panel.show_alone(page.ws, ("import", "import_sample", "demo", "repair", "use_version"))
    job_panel.nothing_new(page.ws)
    quality.refused(page)
    page.finding(quality.sentence(page))
    if page.run_id is None or page.basis_id != page.dataset_id:
        st.page_link("pages/models.py", label="Next: train the models on these data", icon=":material/arrow_forward:")
    names = ["Quality", *(["Occasions"] if occasions.built(page) else []), "Columns", "Customers", "Import", "Versions"]
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs["Quality"]:
        quality.show(page)
        repairs.show(page)
    if "Occasions" in tabs:
        with tabs["Occasions"]:
            occasions.show(page)
    with tabs["Columns"]:
        columns.show(page)
    with tabs["Customers"]:
        customer_features.show(page)
    with tabs["Import"]:
        empty.samples(page)
        import_form.show(page)
    with tabs["Versions"]:
        versions.show(page)
