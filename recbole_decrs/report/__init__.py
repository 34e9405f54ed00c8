"""Makes the pages that one looks at after a run and after a comparison: one HTML file each, without network.

``page`` writes the content that :mod:`~recbole_decrs.report.run` or :mod:`~recbole_decrs.report.comparison` gathers,
in the ``parts`` that a page has, of which :mod:`~recbole_decrs.report.charts` draws the figures. The figures are SVG
that is drawn here: a library such as plotly adds 4.5 MB of script to each page, prints worse, and has no keyboard.
"""
