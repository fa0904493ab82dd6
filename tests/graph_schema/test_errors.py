from __future__ import annotations

from graph_schema.errors import InputError, unknown_name


def test_the_nearest_choice_is_named() -> None:
    error = unknown_name("encoder", "lightgnc", ["mf", "lightgcn"])
    assert isinstance(error, InputError)
    assert str(error) == 'unknown encoder "lightgnc"; did you mean "lightgcn"? choices: mf, lightgcn'


def test_case_does_not_hide_the_nearest_choice() -> None:
    assert 'did you mean "HAS_GENRE"?' in str(unknown_name("relation", "has_genre", ["RATED", "HAS_GENRE"]))


def test_nothing_is_suggested_when_nothing_is_near() -> None:
    assert str(unknown_name("encoder", "zzz", iter(["mf"]))) == 'unknown encoder "zzz"; choices: mf'


def test_no_choices_at_all_are_said() -> None:
    assert str(unknown_name("option", "seed", [])) == 'unknown option "seed"; choices: none'
