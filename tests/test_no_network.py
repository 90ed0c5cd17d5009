"""The refusal that keeps the other tests honest, in this process and in a kernel."""

import socket
import urllib.request

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.no_network import NetworkRefused

# An address and a name that are reserved for documentation; nothing answers there.
ELSEWHERE = ("192.0.2.1", 80)
NAME = "example.org"


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_connections_leaving_this_machine_are_refused(method):
    with socket.socket() as sock, pytest.raises(NetworkRefused, match="192.0.2.1"):
        getattr(sock, method)(ELSEWHERE)


def test_datagrams_leaving_this_machine_are_refused():
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        with pytest.raises(NetworkRefused):
            sock.sendto(b"x", ELSEWHERE)
        with pytest.raises(NetworkRefused):
            sock.sendto(b"x", 0, ELSEWHERE)


def test_names_are_not_looked_up():
    for function in (socket.gethostbyname, socket.gethostbyname_ex):
        with pytest.raises(NetworkRefused, match=NAME):
            function(NAME)
    with pytest.raises(NetworkRefused, match=NAME):
        socket.getaddrinfo(NAME, 443)
    with pytest.raises(NetworkRefused):
        urllib.request.urlopen(f"http://{NAME}/", timeout=1)


def test_this_machine_is_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(("localhost", server.getsockname()[1]), timeout=5):
            pass


def test_a_kernel_refuses_too_and_its_namespace_stays_clean(kernel_environment):
    code = f"""
import os, socket
try:
    socket.create_connection(("{NAME}", 80))
except RuntimeError as refusal:
    print(type(refusal).__name__, os.environ["HF_HUB_OFFLINE"])
print("refuse_network" in globals(), "functools" in globals())
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=60).execute(env=kernel_environment)
    assert notebook.cells[0].outputs[0].text == "NetworkRefused 1\nFalse False\n"
