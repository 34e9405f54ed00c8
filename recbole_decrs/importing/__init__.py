"""Makes a dataset of atomic files of what people have: CSV or Parquet files, or data frames of pandas, polars, ...

What is not certain is refused in one sentence with the option that settles it, and what is left out or changed is
counted. :func:`~recbole_decrs.importing.dataset.import_data` is the whole of it.
"""

from recbole_decrs.importing.dataset import Imported, import_data

__all__ = ["Imported", "import_data"]
