"""The question whether the internet answers takes bounded time, whatever hangs."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from memjax.data._reach import unreachable_host


@pytest.fixture
def server():
    """Answers every path with a byte, but /absent with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404 if self.path == "/absent" else 200)
            self.send_header("Content-Length", "1")
            self.end_headers()
            self.wfile.write(b"x")

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def silent():
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_nothing_to_ask():
    assert unreachable_host([], 1.0) is None


def test_host_that_answers(server):
    assert unreachable_host([f"http://{server}/a", f"http://{server}/b"], 30.0) is None


def test_file_that_is_not_there(server):
    assert unreachable_host([f"http://{server}/absent"], 30.0) == server


def test_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    assert unreachable_host([f"http://{host}/"], 30.0) == host


def test_silent_host_among_others(server, silent):
    assert unreachable_host([f"http://{server}/", f"http://{silent}/"], 2.0) == silent


def test_name_lookup_that_hangs(monkeypatch):
    release = threading.Event()

    def get(url, **kwargs):
        release.wait(60)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", get)
    assert unreachable_host(["http://nowhere.invalid/"], 0.1) == "nowhere.invalid"
    release.set()


def test_timeout_reaches_the_connection(monkeypatch):
    seen = {}

    def get(url, **kwargs):
        seen.update(kwargs, url=url)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", get)
    assert unreachable_host(["http://nowhere.invalid/file"], 3.0) == "nowhere.invalid"
    assert seen == {"url": "http://nowhere.invalid/file", "stream": True, "timeout": 3.0}
