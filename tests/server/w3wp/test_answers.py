"""Answers of the vault's, and its errors."""

import json

from vaultstorm_server.w3wp import answers


def test_an_error_has_a_code_and_words_and_more() -> None:
    """Programs go by the code, people by the words; both know the status."""
    answer = answers.Refused(409, "missing_blocks", "2 are missing", missing=["a"]).answer
    assert answer.status == 409
    assert (b"Content-Type", b"application/json") in answer.headers
    told = json.loads(answer.body)
    assert told == {
        "status": 409,
        "code": "missing_blocks",
        "error": "2 are missing",
        "missing": ["a"],
    }


def test_a_method_that_is_not_allowed_names_those_that_are() -> None:
    """RFC 9110, 15.5.6: a 405 carries Allow."""
    answer = answers.NotAllowed("POST", ("GET", "HEAD")).answer
    assert answer.status == 405
    assert (b"Allow", b"GET, HEAD") in answer.headers


def test_an_answer_to_head_says_the_length_and_leaves_out_the_body() -> None:
    """RFC 9110, 9.3.2: the fields are those of GET."""
    whole = answers.octets(b"12345")
    answer = answers.without_body(whole)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers == [*whole.headers, (b"Content-Length", b"5")]
