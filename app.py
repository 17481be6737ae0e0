"""The Streamlit entry: it routes to pages, nothing else. Start it with `make app`."""

import streamlit as st

from pages.components.shared.layout import footer, icon, style, top_bar

st.set_page_config(page_title="GenImage Lab", page_icon=icon(), layout="wide")
style()
pages = [
    st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
    st.Page("pages/detect.py", title="Detect", icon=":material/image_search:"),
    st.Page("pages/degrade.py", title="Degrade", icon=":material/blur_on:"),
    st.Page("pages/quiz.py", title="Can you tell?", icon=":material/quiz:"),
    st.Page("pages/benchmark.py", title="Benchmark", icon=":material/grid_on:"),
    st.Page("pages/evaluate.py", title="Evaluate", icon=":material/play_circle:"),
    st.Page("pages/studies.py", title="Studies", icon=":material/query_stats:"),
    st.Page("pages/dataset.py", title="Data set", icon=":material/photo_library:"),
    st.Page("pages/about.py", title="About", icon=":material/info:"),
]
page = st.navigation(pages, position="hidden")
top_bar(pages)
page.run()
footer()
