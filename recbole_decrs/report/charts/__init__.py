"""Draws the figures of the pages in SVG: a file for each kind, on the axes and with the markers that all share."""
