"""Imports small data in a test, and reads them back as a run does."""

import pandas as pd

from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.errors import DecRSError
from recbole_decrs.importing import import_data

CLICKS = pd.DataFrame(
    {
        "userId": ["1", "1", "2", "2", "3"],
        "movieId": ["10", "20", "10", "30", "20"],
        "rating": [4, 3.5, 5, 1, 2],
        "timestamp": [964982703, 964981247, 1445714835, 1445714836, 1445714999],
    }
)
ITEMS = pd.DataFrame(
    {
        "movieId": ["10", "20", "30"],
        "title": ["American President, The (1995)", 'Toy "Story"', "Amélie; or so"],
        "genres": ["Comedy|Drama", "Comedy|Science Fiction", "Drama"],
    }
)
USERS = pd.DataFrame({"userId": ["1", "2", "3"], "age": [25, 31, 52], "height": [1.5, 1.75, 2.0]})


def read_back(ending, data_path="dataset", dataset="small"):
    """The columns of a file that was written, by name, and their types."""
    file = AtomicFile(f"{data_path}/{dataset}/{dataset}.{ending}")
    return file.read(file.columns), file.columns


def imported(clicks=CLICKS, items=None, users=None, **options):
    return import_data(clicks, items, users, dataset="small", **options)


def refusal(clicks=CLICKS, items=None, users=None, **options):
    """The sentence by which data are refused."""
    try:
        imported(clicks, items, users, **options)
    except DecRSError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def write_text(path, text, encoding="utf-8"):
    with open(path, "w", encoding=encoding, newline="") as file:
        file.write(text)
    return str(path)


def with_column(frame, column, cells):
    frame = frame.copy()
    frame[column] = cells
    return frame
