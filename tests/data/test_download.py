import http.server
import io
import threading
import zipfile

import pytest
import torch

from processes import downloaded, in_processes
from recbole_decrs import DecRSError
from recbole_decrs.config import DecRSConfig
from recbole_decrs.data.preparation import create_dataset, data_preparation
from tiny_data import tiny_settings, tiny_tables


@pytest.fixture
def server():
    """A server on loopback with ``/pub/Some_Name.zip``, as RecBole's list of datasets would name it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for ending, table in tiny_tables().items():
            zipped.writestr(f"Some_Name.{ending}", table.to_csv(sep="\t", index=False))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/pub/Some_Name.zip"
            self.send_response(200 if found else 404)
            body = archive.getvalue() if found else b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/pub/Some_Name.zip"
        running.shutdown()


def config_of(tmp_path, monkeypatch, url, name="ml-1m"):
    monkeypatch.setattr("recbole.data.dataset.Dataset._get_download_url", lambda self, file, allow_none=False: url)
    settings = tiny_settings(tmp_path / "data") | {"val_interval": None}
    return DecRSConfig("DecFM", name, config_dict=settings)


def test_a_missing_dataset_is_downloaded(tmp_path, monkeypatch, server):
    config = config_of(tmp_path, monkeypatch, server)
    train_data, *_ = data_preparation(config, create_dataset(config))
    assert len(train_data.dataset.confounder.group_names) == 4
    assert sorted(path.name for path in (tmp_path / "data" / "ml-1m").iterdir()) == [
        "ml-1m.inter",
        "ml-1m.item",
        "ml-1m.user",
    ]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["ml-1m"]


def test_one_of_several_processes_downloads_for_all(tmp_path, server):
    settings = tiny_settings(tmp_path / "data") | {"val_interval": None}
    first, second = in_processes(2, downloaded, server, settings)
    assert first == second > 0
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["ml-1m"]


@pytest.mark.parametrize("path", ["/pub/Other.zip", None])
def test_a_failed_download_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, server, path):
    url = server.replace("/pub/Some_Name.zip", path) if path else "http://127.0.0.1:9/none.zip"
    with pytest.raises(
        DecRSError, match=r"could not be downloaded .*; check the network, or put its atomic files there"
    ):
        create_dataset(config_of(tmp_path, monkeypatch, url))
    assert list(tmp_path.glob("data/*")) == []
    assert torch.distributed.barrier.__module__ == "torch.distributed.distributed_c10d"
