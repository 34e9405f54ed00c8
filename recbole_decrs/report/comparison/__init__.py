"""Makes the page of a comparison: a file for each section, all from the results and the record in run.json."""

import recbole_decrs.compare  # noqa: F401 - it imports the sections: were one of them first, they would meet half-made
