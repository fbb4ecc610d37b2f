"""Numbers to pictures: each module has pure ``…_data`` functions and ``…_figure`` functions.

A chart's title is the finding, computed from the same numbers. Backgrounds and text colors are left to the app's light
or dark theme; series differ by dash, marker or label as well as by color.
"""
