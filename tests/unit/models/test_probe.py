"""The probe tells a served adapter from another one and from none."""

import math

import pytest

from inframind.models.probe import Likeliest, Probe, fault, largest_difference

BASE: Likeliest = ({"a": -0.1, "b": -3.0, "c": -5.0},)
ADAPTER: Likeliest = ({"b": -0.2, "a": -2.0, "d": -4.0},)
MEASURED = Probe(base=BASE, adapter=ADAPTER)


def rounded(likeliest: Likeliest, by: float) -> Likeliest:
    return tuple(
        {token: value + by for token, value in likelihoods.items()} for likelihoods in likeliest
    )


def test_rounding_is_no_fault() -> None:
    served = Probe(base=rounded(BASE, 0.05), adapter=rounded(ADAPTER, -0.1))
    assert fault(MEASURED, served, 0.25) is None
    assert fault(MEASURED, served, 0.05) is not None


def test_another_adapter_and_the_base_model_are_told() -> None:
    assert "nats" in str(fault(MEASURED, Probe(base=BASE, adapter=BASE), 0.25))
    assert "no effect" in str(fault(MEASURED, Probe(base=ADAPTER, adapter=ADAPTER), 0.25))


NAN: Likeliest = ({"a": math.nan, "b": math.nan},)
INFINITE: Likeliest = ({"b": -0.2, "a": -math.inf},)


@pytest.mark.parametrize("broken", [NAN, INFINITE, ({},)])
def test_what_is_no_number_is_a_fault_on_either_side(broken: Likeliest) -> None:
    """NaN is above no tolerance, and below none."""
    for served in (
        Probe(base=BASE, adapter=broken),
        Probe(base=broken, adapter=ADAPTER),
        Probe(base=broken, adapter=broken),
    ):
        assert "the server's" in str(fault(MEASURED, served, 0.25))
        assert "the manifest's" in str(fault(served, served, 0.25))
        assert "the manifest's" in str(fault(served, MEASURED, 0.25))


def test_a_token_that_is_missing_counts_as_the_last_one_there() -> None:
    assert largest_difference(({"x": -0.5, "b": -1.0},), BASE) == pytest.approx(4.5)
