"""Entries from the package, a file or a URL, and their split; downloads come from this machine."""

import contextlib
import gzip
import hashlib
import http.client
import http.server
import json
import os
import re
import socket
import threading
import warnings
from fractions import Fraction
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.data import (
    DatasetError,
    Splits,
    choose_entries,
    download_and_load_file,
    load_entries,
    split_entries,
)
from lessons_lib.data.entries import (
    BOOK_ENTRIES,
    BOOK_FILE,
    BOOK_REPOSITORY,
    BOOK_SHA256,
    BUNDLED_ENTRIES,
    ChangedFileWarning,
    chosen_source,
)
from lessons_lib.data.reading import DroppedEntriesWarning

ENTRIES = [
    {"instruction": "Name a color.", "input": "", "output": "Red."},
    {"instruction": "Repeat the word.", "input": "café", "output": "café \U0001f600"},
]
FAULTY = [*ENTRIES, {"instruction": "Say nothing.", "output": ""}]


class Site:
    """A web server on this machine: set ``answers[path]``, read ``requests``."""

    def __init__(self):
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requests: list[str] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.requests.append(self.path)
                status, headers, body = site.answers.get(self.path, (404, {}, b"no such page"))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the other side may hang up
                    self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, path: str, content: object, status: int = 200, **headers: str) -> str:
        """Answer ``path`` with bytes as they are, or with anything else as JSON; its URL."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = (status, named, body)
        return self.url + path


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache of downloads"
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(folder))
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# The real entries and the bundled ones


def test_the_bundled_entries_are_1100():
    entries = load_entries()
    assert len(entries) == 1100
    assert entries == load_entries("bundled") == load_entries(BUNDLED_ENTRIES)
    assert all(list(entry) == ["instruction", "input", "output"] for entry in entries)


def test_the_real_entries_are_the_books(real_entries):
    entries = load_entries(real_entries)
    assert len(entries) == 1100
    assert "Ocassion" in entries[50].values()
    assert "antonym" in entries[999]["instruction"]
    assert "complicated" in entries[999]["instruction"]
    assert entries[999]["input"] == ""
    assert download_and_load_file(real_entries, "http://127.0.0.1:9/unused") == entries


def test_the_real_entries_split_as_in_the_book(real_entries):
    entries = load_entries(real_entries)
    splits = split_entries(entries)
    assert [len(part) for part in splits] == [935, 110, 55]
    assert splits.train + splits.test + splits.validation == entries


# Splitting


def test_the_parts_are_cut_in_order_train_test_validation():
    entries = load_entries()
    splits = split_entries(entries)
    assert splits == Splits(entries[:935], entries[935:1045], entries[1045:])
    assert Splits._fields == ("train", "test", "validation")


def numbered(count):
    return [{"instruction": f"Say {i}.", "input": "", "output": str(i)} for i in range(count)]


@pytest.mark.filterwarnings("ignore::lessons_lib.data.entries.SmallSplitWarning")
@given(
    st.integers(1, 300).map(numbered),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_parts_make_up_the_whole(entries, train, share_of_rest):
    test = (1 - train) * share_of_rest
    try:
        splits = split_entries(entries, train, test)
    except ValueError:
        assert int(len(entries) * train) == 0, "refused, though there was something to train on"
        return
    assert splits.train + splits.test + splits.validation == entries
    assert abs(len(splits.train) - len(entries) * train) <= 1
    assert abs(len(splits.test) - len(entries) * test) <= 1


@pytest.mark.filterwarnings("ignore::lessons_lib.data.entries.SmallSplitWarning")
@given(st.integers(1, 3000), st.integers(1, 100), st.data())
def test_whole_per_cents_give_what_exact_arithmetic_gives(count, train, data):
    test = data.draw(st.integers(0, 100 - train))
    expected = [int(count * Fraction(share, 100)) for share in (train, test)]
    if expected[0] == 0:
        return
    splits = split_entries(numbered(count), train / 100, test / 100)
    assert [len(splits.train), len(splits.test)] == expected


@pytest.mark.parametrize(
    ("count", "train", "test", "sizes"),
    [
        (1100, 0.85, 0.10, [935, 110, 55]),
        (100, 0.29, 0.57, [29, 57, 14]),  # 0.29 × 100 is 28.999999999999996
        (100, 0.7, 0.3, [70, 30, 0]),
        (10, 0.7000000000000002, 0.3, [7, 3, 0]),  # sums carry such a remainder
        (1, 1, 0, [1, 0, 0]),
        (3, 0.5, 0.5, [1, 1, 1]),
        (19, 0.85, 0.10, [16, 1, 2]),
        (7, 1.0, 0.0, [7, 0, 0]),
    ],
)
def test_fractions(count, train, test, sizes):
    assert [len(part) for part in split_entries(numbered(count), train, test)] == sizes


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ({"train": 1.1}, "train must be a fraction"),
        ({"train": -0.1}, "train must be a fraction"),
        ({"test": 85}, "test must be a fraction"),
        ({"test": -1e-6}, "test must be a fraction"),
        ({"train": float("nan")}, "train must be a fraction"),
        ({"test": float("inf")}, "test must be a fraction"),
        ({"train": 0.85, "test": 0.2}, r"train \+ test is 1\.05"),
        ({"train": 0}, "leaves none to train on"),
        ({"train": 0.05, "test": 0.1}, "leaves none to train on"),
    ],
)
def test_wrong_fractions_are_refused(fractions, message):
    with pytest.raises(ValueError, match=message):
        split_entries(numbered(10), **fractions)


def test_no_entries_cannot_be_split():
    with pytest.raises(ValueError, match="0 entries"):
        split_entries([])


# Sources


def test_a_path_may_be_text_or_a_path(tmp_path):
    path = tmp_path / "entries.json"
    path.write_text(json.dumps(ENTRIES), encoding="utf-8")
    assert load_entries(path) == load_entries(str(path)) == ENTRIES


@pytest.mark.parametrize("value", ["ignore", None, True])
def test_an_unknown_on_invalid_is_refused(value):
    with pytest.raises(ValueError, match="on_invalid must be"):
        load_entries(on_invalid=value)


# Downloads


def test_a_url_is_downloaded_once(site, cache):
    url = site.serve("/course/entries.json", ENTRIES)
    assert load_entries(url) == ENTRIES
    assert load_entries(url) == ENTRIES
    assert site.requests == ["/course/entries.json"], "the second call must not ask the server"
    (name,) = files_in(cache)
    assert name.endswith("entries.json")
    if os.name != "nt":
        [file] = cache.rglob("*entries.json")
        assert file.stat().st_mode & 0o777 == 0o644, "others may read it"


def test_an_address_may_have_letters_beyond_ascii(site, cache):
    site.serve("/donn%C3%A9es.json", ENTRIES)
    assert load_entries(site.url + "/données.json") == ENTRIES


def test_what_was_downloaded_works_without_the_server(site, cache):
    url = site.serve("/entries.json", ENTRIES)
    load_entries(url)
    site.answers.clear()
    assert load_entries(url) == ENTRIES


def test_download_and_load_file_keeps_the_file_where_it_is_told(site, tmp_path, cache):
    url = site.serve("/entries.json", ENTRIES)
    path = tmp_path / "new folder" / "instruction-data.json"
    assert download_and_load_file(path, url) == ENTRIES
    assert download_and_load_file(str(path), url) == ENTRIES
    assert load_entries(path) == ENTRIES
    assert len(site.requests) == 1
    assert files_in(tmp_path) == ["instruction-data.json"], "nothing in the cache folder"


def test_a_file_that_is_there_is_not_fetched_again(tmp_path):
    path = tmp_path / "entries.json"
    path.write_text(json.dumps(ENTRIES), encoding="utf-8")
    assert download_and_load_file(path, "http://127.0.0.1:9/x.json") == ENTRIES


def test_json_lines_through_a_url(site, cache):
    lines = b"\n".join(json.dumps(entry).encode() for entry in ENTRIES)
    assert load_entries(site.serve("/entries.jsonl", lines)) == ENTRIES
    assert files_in(cache)[0].endswith("-entries.jsonl")


def test_json_lines_behind_an_address_without_a_suffix(site, cache):
    lines = b"\n".join(json.dumps(entry).encode() for entry in ENTRIES)
    url = site.serve("/download?id=3", lines)
    assert load_entries(url) == load_entries(url) == ENTRIES


@pytest.mark.parametrize("path", ["/a.csv", "/a.csv.gz", "/a.parquet", "/a.json.gz", "/download"])
def test_other_files_through_a_url(site, cache, tmp_path, path):
    frame, file = pandas.DataFrame(ENTRIES), tmp_path / f"source{path.replace('/', '')}"
    if "csv" in path:
        frame.to_csv(file, index=False)
    elif "parquet" in path:
        frame.to_parquet(file)
    else:  # gzip, whether the name says so or not
        file.write_bytes(gzip.compress(json.dumps(ENTRIES).encode()))
    assert load_entries(site.serve(path, file.read_bytes())) == ENTRIES


def test_other_names_through_a_url(site, cache):
    rows = [{"q": entry["instruction"], "a": entry["output"]} for entry in ENTRIES]
    url = site.serve("/a.json", rows)
    with pytest.raises(DatasetError, match="fields=") as caught:
        load_entries(url)
    assert caught.value.file == url and files_in(cache) == []
    found = load_entries(url, fields={"instruction": "q", "output": "a"})
    assert [entry["output"] for entry in found] == [entry["output"] for entry in ENTRIES]


@pytest.mark.parametrize("announced", [True, False])
def test_a_download_beyond_the_limit_is_refused(site, cache, monkeypatch, announced):
    monkeypatch.setattr("lessons_lib.data.entries.READ_LIMIT", 1000)
    headers = {} if announced else {"Content_Length": "many"}
    with pytest.raises(DatasetError, match="1,000.*limit"):
        load_entries(site.serve("/a.json", b"[" + b" " * 100_000 + b"]", **headers))
    assert files_in(cache) == []


def test_a_gzip_bomb_through_a_url_is_refused(site, cache, monkeypatch):
    monkeypatch.setattr("lessons_lib.data.reading.rows.READ_LIMIT", 10_000)
    bomb = gzip.compress(b" " * 1_000_000)
    for path in ("/a.json", "/a.json.gz"):
        with pytest.raises(DatasetError, match="more than 10,000 bytes"):
            load_entries(site.serve(path, bomb))
    assert files_in(cache) == []


def test_a_body_that_drips_is_given_up(cache, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("lessons_lib.data.entries.DOWNLOAD_SECONDS", 0.3)
    over = threading.Event()

    def drip(server):
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n[")
            while not over.wait(0.05):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            with pytest.raises(DatasetError, match="not there after 0.3 seconds; [0-9]+ bytes"):
                load_entries(f"http://127.0.0.1:{server.getsockname()[1]}/a.json")
        finally:
            over.set()
            thread.join()
    assert files_in(cache) == []


def test_the_books_file_is_pinned_and_another_one_is_told(site, cache, tmp_path, monkeypatch):
    assert re.fullmatch(f"{BOOK_REPOSITORY}[0-9a-f]{{40}}{BOOK_FILE}", BOOK_ENTRIES)
    monkeypatch.setattr("lessons_lib.data.entries.BOOK_REPOSITORY", f"{site.url}/")
    url = site.serve(f"/main{BOOK_FILE}", ENTRIES)
    with pytest.warns(ChangedFileWarning, match="not the file that the course was written with"):
        assert download_and_load_file(tmp_path / "book.json", url) == ENTRIES
    content = (tmp_path / "book.json").read_bytes()
    monkeypatch.setattr("lessons_lib.data.entries.BOOK_SHA256", hashlib.sha256(content).hexdigest())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_entries(url) == ENTRIES


def test_the_real_file_has_the_hash_that_is_expected(real_entries):
    assert hashlib.sha256(real_entries.read_bytes()).hexdigest() == BOOK_SHA256


@pytest.mark.parametrize(
    "path",
    ["/entries.json?version=2&x=/a", "/download", "/", "", "/a%20b.json", "/%3Cx%3E:*", "/a//"],
)
def test_addresses_of_all_shapes_can_be_cached(site, cache, path):
    site.serve(path or "/", ENTRIES)
    assert load_entries(site.url + path) == ENTRIES
    assert load_entries(site.url + path) == ENTRIES
    assert len(site.requests) == 1
    (name,) = files_in(cache)
    assert name.endswith(".json")


def test_an_address_longer_than_a_file_name_may_be(site, cache):
    url = site.serve("/" + "a" * 400 + ".json", ENTRIES)
    assert load_entries(url) == ENTRIES
    assert len(files_in(cache)[0]) < 150


def test_two_urls_of_one_file_name_do_not_share_a_cache_entry(site, cache):
    first = site.serve("/first/entries.json", ENTRIES[:1])
    second = site.serve("/second/entries.json", ENTRIES[1:])
    third = site.serve("/second/entries.json?part=3", ENTRIES)
    assert [load_entries(url) for url in (first, second, third)] == [
        ENTRIES[:1],
        ENTRIES[1:],
        ENTRIES,
    ]
    assert load_entries(first) == ENTRIES[:1]
    assert len(files_in(cache)) == 3


def test_a_redirect_is_followed(site, cache):
    site.serve("/new.json", ENTRIES)
    assert load_entries(site.serve("/old.json", b"", 302, Location="/new.json")) == ENTRIES


def test_a_nonsensical_length_does_no_harm(site, cache):
    assert load_entries(site.serve("/a.json", ENTRIES, Content_Length="many")) == ENTRIES


def test_a_byte_order_mark_through_a_url(site, cache):
    content = json.dumps(ENTRIES).encode("utf-8-sig")
    assert load_entries(site.serve("/a.json", content)) == ENTRIES


# what is wrong: (arguments of Site.serve after the path, a piece of the message)
BAD_ANSWERS = {
    "web page": ((b"<!DOCTYPE html><html></html>",), "web page"),
    "web page after blank lines": ((b"\n\n  <html></html>",), "web page"),
    "404": ((ENTRIES, 404), "Not Found"),
    "500": ((ENTRIES, 500), "Internal Server Error"),
    "403 with entries": ((ENTRIES, 403), "Forbidden"),
    "not JSON": ((b"instruction,output\nx,y\n",), "is not JSON"),
    "empty": ((b"",), "is empty"),
    "cut-off JSON": ((json.dumps(ENTRIES)[:-9].encode(),), "is not JSON"),
    "cut-off gzip": ((b"\x1f\x8b\x08\x00\x00\x00\x00\x00",), "packed with gzip, and its end"),
    "Latin-1": ((b'[{"instruction": "caf\xe9"}]',), "is not UTF-8"),
    "UTF-16": ((json.dumps(ENTRIES).encode("utf-16"),), "UTF-16"),
    "an object": (({"name": "x"},), "put the entries into a list"),
    "an empty list": (([],), "holds no entries"),
    "no usable entry": (([{"instruction": "x"}],), "is missing"),
    "nested deeply": ((b"[" * 1_000_000,), "nested too deeply"),
}


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_a_bad_answer_is_an_error_and_leaves_no_file(site, cache, tmp_path, case):
    arguments, piece = BAD_ANSWERS[case]
    url = site.serve("/entries.json", *arguments)
    for load in (load_entries, lambda url: download_and_load_file(tmp_path / "own.json", url)):
        with pytest.raises(DatasetError) as caught:
            load(url)
        assert piece in caught.value.problem
        assert caught.value.file == url
        assert url in str(caught.value)
        assert files_in(tmp_path) == [], "neither a file nor a temporary one stays"
    site.serve("/entries.json", ENTRIES)
    assert load_entries(url) == ENTRIES, "once the answer is right, the next call works"


def test_an_answer_that_breaks_off_leaves_no_file(site, cache):
    """The body would be good JSON: only its announced length tells."""
    body = json.dumps(ENTRIES).encode()
    url = site.serve("/entries.json", body, Content_Length=str(len(body) + 100))
    with pytest.raises(DatasetError, match=f"broke off after {len(body)} bytes") as caught:
        load_entries(url)
    assert caught.value.file == url
    assert files_in(cache) == []


def test_chunks_that_break_off_leave_no_file(site, cache):
    body = b"1c\r\n[" + json.dumps(ENTRIES).encode()[1:8]
    url = site.serve("/entries.json", body, Transfer_Encoding="chunked")
    with pytest.raises(DatasetError, match="broke off after"):
        load_entries(url)
    assert files_in(cache) == []


def test_an_answer_that_is_no_http(site, cache, monkeypatch):
    def nonsense(response):
        raise http.client.BadStatusLine("\x15\x03")

    monkeypatch.setattr(http.client.HTTPResponse, "begin", nonsense)
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        load_entries(site.serve("/entries.json", ENTRIES))


def test_a_server_that_does_not_answer(site, cache, monkeypatch):
    def wait(response):
        raise TimeoutError("timed out")

    monkeypatch.setattr(http.client.HTTPResponse, "begin", wait)
    with pytest.raises(DatasetError, match="timed out"):
        load_entries(site.serve("/entries.json", ENTRIES))


def test_nobody_listens(cache, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as taken:  # bound, so that nobody else takes the port; not listening
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/entries.json"
        with pytest.raises(DatasetError, match="cannot be downloaded") as caught:
            load_entries(url)
    assert caught.value.file == url
    assert "Without a network" in caught.value.problem, "the message says what works instead"
    assert files_in(cache) == []


@pytest.mark.parametrize("moment", ["while reading", "while writing", "while renaming"])
def test_an_interrupted_download_leaves_nothing(site, cache, monkeypatch, moment):
    url = site.serve("/entries.json", ENTRIES)
    write_bytes = Path.write_bytes

    def interrupted(*arguments):
        if moment == "while writing":
            write_bytes(arguments[0], b"[{")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        owner, name = {
            "while reading": (http.client.HTTPResponse, "read1"),
            "while writing": (Path, "write_bytes"),
            "while renaming": (os, "replace"),
        }[moment]
        patch.setattr(owner, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_entries(url)
    assert files_in(cache) == []
    assert load_entries(url) == ENTRIES


def test_a_full_disk_is_a_dataset_error(site, cache, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DatasetError, match="cannot be written.*No space left"):
        load_entries(site.serve("/entries.json", ENTRIES))
    assert files_in(cache) == []


def test_a_folder_that_cannot_be_made_is_a_dataset_error(site, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    url = site.serve("/entries.json", ENTRIES)
    with pytest.raises(DatasetError, match="cannot be written"):
        download_and_load_file(tmp_path / "file" / "entries.json", url)
    with pytest.raises(DatasetError, match="cannot be written"):
        download_and_load_file(tmp_path / ("x" * 400 + ".json"), url)


def test_a_file_path_without_a_json_suffix_is_the_one_named(site, tmp_path):
    path = tmp_path / "entries.txt"
    with pytest.raises(DatasetError, match="must end in .json") as caught:
        download_and_load_file(path, site.serve("/entries.json", ENTRIES))
    assert caught.value.file == path
    assert site.requests == [], "nothing needs to be fetched to see that"


@pytest.mark.parametrize("scheme", ["file", "ftp", "s3", "data", "hppt", ""])
def test_only_web_addresses_are_fetched(tmp_path, cache, scheme):
    there = tmp_path / "entries.json"
    there.write_text(json.dumps(ENTRIES), encoding="utf-8")
    url = f"{scheme}://{there}"
    with pytest.raises(DatasetError, match="only http:// and https://") as caught:
        load_entries(url)
    assert caught.value.file == url
    with pytest.raises(DatasetError, match="only http:// and https://"):
        download_and_load_file(tmp_path / "copy.json", url)
    assert files_in(tmp_path) == ["entries.json"]


@pytest.mark.parametrize(
    "url",
    [
        "http://[bad/x.json",
        "http://\ud800/x.json",
        "http:///x.json",
        "http://",
        "https://",
        "http://a b/x.json",
        "http://127.0.0.1:port/x.json",
        "http://127.0.0.1:1/ü.json",
        "http://127.0.0.1:1/a\nb.json",
        "http://127.0.0.1:1/a\0.json",
    ],
)
def test_an_address_that_cannot_be_one(cache, monkeypatch, url):
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(DatasetError) as caught:
        load_entries(url)
    assert caught.value.file == url
    assert files_in(cache) == []


def test_faulty_entries_through_a_url_name_their_row(site, cache):
    with pytest.raises(DatasetError, match="row 2, field 'output': is blank"):
        load_entries(site.serve("/entries.json", FAULTY))


def test_faulty_entries_through_a_url_can_be_dropped(site, cache):
    url = site.serve("/entries.json", FAULTY)
    for _ in range(2):  # fresh, then from the cache
        with pytest.warns(DroppedEntriesWarning, match="dropped 1 of 3 entries.*Rows: 2$"):
            assert load_entries(url, on_invalid="drop") == ENTRIES
    assert len(site.requests) == 1


def test_downloads_at_the_same_time_do_not_disturb_each_other(site, cache):
    url = site.serve("/entries.json", ENTRIES)
    results = []
    threads = [threading.Thread(target=lambda: results.append(load_entries(url))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [ENTRIES] * 6
    assert len(files_in(cache)) == 1


def entries_file(folder, count):
    path = folder / "own.json"
    path.write_text(json.dumps(numbered(count)), encoding="utf-8")
    return path


def test_nothing_chosen_means_the_bundled_entries(cache):
    assert chosen_source() == "bundled"
    assert load_entries("chosen") == load_entries("bundled")


def test_a_choice_holds_until_the_next_one(cache, tmp_path, monkeypatch):
    path = entries_file(tmp_path, 3)
    monkeypatch.chdir(tmp_path)
    assert len(choose_entries("own.json")) == 3
    monkeypatch.chdir(Path(tmp_path).anchor)  # a lesson may run elsewhere
    assert chosen_source() == str(path.resolve()) and len(load_entries("chosen")) == 3
    choose_entries("bundled")
    assert len(load_entries("chosen")) == 1100


def test_a_faulty_choice_changes_nothing(cache, tmp_path):
    choose_entries(entries_file(tmp_path, 3))
    with pytest.raises(DatasetError):
        choose_entries(tmp_path / "nowhere.json")
    assert len(load_entries("chosen")) == 3


def test_a_url_can_be_chosen(site, cache):
    url = site.serve("/entries.json", ENTRIES)
    assert choose_entries(url) == ENTRIES
    assert chosen_source() == url and load_entries("chosen") == ENTRIES


def test_the_environment_overrides_the_choice(cache, tmp_path, monkeypatch):
    choose_entries("bundled")
    monkeypatch.setenv("LESSONS_LIB_ENTRIES", str(entries_file(tmp_path, 2)))
    assert len(load_entries("chosen")) == 2
