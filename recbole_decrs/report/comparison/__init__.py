"""The page of a comparison: a file for each of its sections, all made from the results and the record in run.json."""
