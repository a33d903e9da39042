"""The rows of the seeds' table of steps, each with the tests that hold it: a row names what it stands for.

The tests are elsewhere, beside what they test; here a row that loses its test is red.
"""

import importlib

import pytest

STEPS, HOSTED = "tests.test_steps", "tests.hosted.test_round_trip"
ASKS = f"{HOSTED}:test_the_request_asks_for_what_the_connection_says_and_nothing_a_query_adds"
ROWS = {
    "Cognito integration": [f"{STEPS}:test_no_connection_of_that_name", "tests.test_connections"],
    "user identifier": [f"{STEPS}:test_by_sms", "tests.test_identifiers"],
    "OTP channel: e-mail": [f"{STEPS}:test_gives_the_claims_the_user_info_and_the_profile"],
    "OTP channel: SMS": [f"{STEPS}:test_by_sms"],
    "scope": [f"{STEPS}:test_is_never_wider_than_the_connections", "tests.cognito.test_connection:test_defaults"],
    "callback URL": [ASKS],
    "response mode: query": [f"{HOSTED}:test_under_strict_an_answer_in_the_query_takes_the_same_way"],
    "response mode: form post": [
        f"{HOSTED}:test_a_cross_site_answer_without_cookies_waits_for_the_browser_that_asked"
    ],
    "advanced OIDC": [ASKS],
    "output variable": [
        "tests.hosted.test_step_functions:test_a_person_of_the_pool_comes_back_with_claims_and_profile"
    ],
    "error output variable": ["tests.hosted.test_step_functions:test_what_the_login_says_instead"],
    "failure behaviour": ["tests.test_steps_page:test_trouble_of_everybodys_is_told"],
    "journey event data": ["tests.flows.events.test_payload:test_input_and_output_are_redacted"],
    "then: just-in-time migration": [f"{STEPS}:test_migrates_the_person"],
    "contexts": ["tests.test_steps_page:test_by_code", "tests.test_steps_page:test_by_hosted_login"],
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_its_test(row: str) -> None:
    for place in ROWS[row]:
        name, _, wanted = place.partition(":")
        module = importlib.import_module(name)
        classes = [item for item in vars(module).values() if isinstance(item, type)]
        assert not wanted or any(hasattr(owner, wanted) for owner in (module, *classes)), place
