"""docs/names.md: every public name of PyTorch is here, or left out with a reason."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "names"
_SPEC = importlib.util.spec_from_file_location("docs_names", FOLDER / "names.py")
names = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(names)


@pytest.fixture(scope="module")
def found():
    return names.Comparison()


def test_the_list_is_pytorchs(found):
    assert set(found.theirs) == set(names.PLACES)
    assert len(found.theirs[""]) > 900
    assert len(found.theirs["Tensor"]) > 500
    assert ("", "exp") in found.there


def test_every_name_is_there_or_classified(found):
    assert found.unclassified == []


def test_what_is_left_out_is_not_there(found):
    assert found.left_out_yet_there == []


def test_what_is_there_is_no_longer_coming(found):
    assert found.found == [], "`make names` takes them from coming.toml"


def test_names_are_listed_once_and_are_pytorchs(found):
    assert found.unknown == []
    assert found.twice == []
    for table in (names.read("left_out.toml"), names.read("coming.toml")):
        for place, reasons in table.items():
            listed = [name for group in reasons.values() for name in group]
            assert sorted(set(listed)) == sorted(listed), place


def test_reasons_are_the_fixed_ones(found):
    assert set(found.left_out.values()) <= set(names.REASONS)


def test_the_page_is_up_to_date(found):
    assert names.PAGE.read_text(encoding="utf-8") == names.page(found), "run `make names`"


def test_a_new_name_is_noticed(monkeypatch, found):
    # The checks above can fail: a name that PyTorch might add, and one that is left out by mistake.
    theirs = {place: [*listed, "brand_new"] for place, listed in found.theirs.items()}
    monkeypatch.setattr(names, "pytorch", lambda: theirs)
    monkeypatch.setattr(names, "read", lambda name: {"": {"sparse": ["exp", "no_such"]}})
    broken = names.Comparison()
    assert ("", "brand_new") in broken.unclassified
    assert broken.left_out_yet_there == [("", "exp")]
    assert broken.unknown == [("", "no_such")]
