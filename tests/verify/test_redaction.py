"""Output that is quoted carries no secret."""

from __future__ import annotations

from truegreen.verify.redaction import Redaction


def test_values_of_config_vars_are_replaced_by_their_names_longest_first() -> None:
    redaction = Redaction({"KEY": "abcdefghijkl", "LONGER": "abcdefghijklmnop", "FLAG_X": "1"})
    assert redaction.of("a abcdefghijklmnop b abcdefghijkl 1") == "a [LONGER] b [KEY] 1"


def test_the_user_part_of_a_url_is_taken_out_whoever_set_it() -> None:
    text = 'cannot connect to "postgresql://raptor:s3cret@db.example.com:5432/x"'
    assert Redaction({}).of(text) == (
        'cannot connect to "postgresql://[redacted]@db.example.com:5432/x"'
    )
