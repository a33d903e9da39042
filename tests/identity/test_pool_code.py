"""What a pool's code proves: the two signs, each alone and both together."""

import pytest

from cognito_passwordless.identity import Proof, could_have_gone_to, proof_of_code

ANN, BOB = "ann@example.com", "bob@example.org"


@pytest.mark.parametrize(
    ("sent_to", "claimed", "verified", "proof"),
    [
        (ANN, ANN, True, Proof.PROVEN),
        (ANN, ANN, False, Proof.UNCONFIRMED),
        (ANN, "", True, Proof.UNCONFIRMED),
        (ANN, BOB, True, Proof.CHANGED),
        (ANN, BOB, False, Proof.CHANGED),
        ("", ANN, True, Proof.UNKNOWN),
        ("", ANN, False, Proof.UNKNOWN),
        ("", "", False, Proof.UNKNOWN),
    ],
)
def test_an_address_is_proven_by_the_record_and_the_token_together(
    sent_to: str, claimed: str, verified: bool, proof: Proof
) -> None:
    assert proof_of_code(sent_to=sent_to, claimed=claimed, verified=verified) is proof


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        (ANN, "a***@e***"),
        (ANN, "A***@E***"),
        (ANN, "a***@example.com"),
        (ANN, ANN),
        ("+4915112345678", "+*******5678"),
        ("+4915112345678", "********5678"),
        ("ann@xn--bcher-kva.example", "a***@b***"),
        ("ann@xn--bcher-kva.example", "a***@x***"),
    ],
)
def test_a_mask_fits_the_address_it_hides(address: str, masked: str) -> None:
    assert could_have_gone_to(address, masked)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        (ANN, "b***@e***"),
        (ANN, "a***@o***"),
        (ANN, BOB),
        ("+4915112345678", "+*******5679"),
        # The pool says nothing of where.
        (ANN, ""),
        (ANN, "***"),
        (ANN, "***@***"),
        ("+4915112345678", "+********"),
        # A mask is no pattern of the pool's.
        (ANN, "a.*@e.*"),
        (ANN, "a??@e***"),
        (ANN, "[a]***@e***"),
    ],
)
def test_a_mask_of_another_address_or_of_none_does_not_fit(address: str, masked: str) -> None:
    assert not could_have_gone_to(address, masked)
