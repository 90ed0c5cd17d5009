"""Where downloads and caches go."""

from pathlib import Path

from lessons_lib.support import cache_folder, paths


def test_the_environment_names_the_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    assert not cache_folder().exists(), "asking for it does not make it"


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_CACHE", "~/course")
    assert cache_folder() == Path.home() / "course"


def test_a_clone_keeps_its_cache_inside(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_CACHE", "")
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "lessons_lib")
    (tmp_path / "pyproject.toml").touch()
    assert cache_folder() == tmp_path / ".cache"


def test_an_installed_package_uses_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LESSONS_LIB_CACHE")
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "lessons_lib")
    assert cache_folder() == Path.home() / ".cache" / "lessons_lib"


def test_the_assets_lie_in_the_package():
    assert (paths.ASSETS / "entries.json").is_file()
    assert paths.ASSETS.parent == Path(paths.__file__).parents[1]


def test_the_learners_folder_is_beside_the_notebooks(monkeypatch, tmp_path):
    monkeypatch.setenv("LESSONS_LIB_WORK", "~/mine")
    assert paths.learner_folder() == Path.home() / "mine"
    monkeypatch.delenv("LESSONS_LIB_WORK")
    assert paths.learner_folder() == paths.PACKAGE.parent / "my_work"
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "installed" / "lessons_lib")
    assert paths.learner_folder() == Path.home() / "my_work"
