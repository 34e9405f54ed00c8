"""Makes the page of a comparison: a file for each section, all from the results and the record in run.json."""
