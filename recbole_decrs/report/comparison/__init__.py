"""Makes the page of a comparison: a file for each section, all from the results and the record in run.json."""

import recbole_decrs.compare  # noqa: F401 - it writes the page, so whoever imports a section first has to import it before
