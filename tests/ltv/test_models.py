"""BG/NBD and Gamma-Gamma against the published figures, and against people simulated one by one."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiiki.ltv import bgnbd, gamma_gamma
from hiiki.ltv.bgnbd import BgNbd
from hiiki.ltv.gamma_gamma import GammaGamma

from .cdnow import CALIBRATION_END, master, sample, seen, simulate


def test_b9_the_published_bgnbd_of_cdnow() -> None:
    people = seen(sample(), CALIBRATION_END)
    found = bgnbd.fit(people.x, people.t_x, people.T)
    assert people.x.size == 2357
    assert (round(found.r, 3), round(found.alpha, 3)) == (0.243, 4.414)
    assert (round(found.a, 3), round(found.b, 3)) == (0.793, 2.426)
    assert round(found.log_likelihood, 1) == -9582.4
    assert not found.at_limit


def test_b9_the_published_gamma_gamma_of_cdnow() -> None:
    people = seen(sample(), CALIBRATION_END)
    found = gamma_gamma.fit(people.x, people.m)
    assert (round(found.p, 2), round(found.q, 2), round(found.v, 2)) == (6.25, 3.74, 15.44)
    assert round(found.log_likelihood, 1) == -4055.9


def test_the_published_expectation_of_one_customer() -> None:
    """The paper's spreadsheet: two repeats, the last in week 30.43 of 38.86, next 39 weeks."""
    model = BgNbd(0.243, 4.414, 0.793, 2.426)
    one = [np.array([value]) for value in (2.0, 30.43, 38.86)]
    assert model.expected(39.0, *one)[0] == pytest.approx(1.226, abs=0.001)


def test_b9_the_whole_master_is_fitted_in_seconds() -> None:
    people = seen(master(), CALIBRATION_END)
    began = time.process_time()
    found = bgnbd.fit(people.x, people.t_x, people.T)
    spent = gamma_gamma.fit(people.x, people.m)
    assert people.x.size == 23_570
    assert time.process_time() - began < 10
    # The sample is every tenth of them.
    assert (found.r, found.alpha) == (pytest.approx(0.243, rel=0.1), pytest.approx(4.414, rel=0.1))
    assert spent.mean == pytest.approx(35.2, rel=0.05)


@pytest.mark.parametrize(("r", "alpha", "a", "b"), [(0.6, 8.0, 0.9, 3.0), (2.0, 20.0, 3.0, 4.0)])
def test_what_was_put_in_is_found_again(r: float, alpha: float, a: float, b: float) -> None:
    length = np.random.default_rng(3).uniform(20, 100, 20_000)
    people = simulate(r, alpha, a, b, length, after=26.0, seed=7)
    found = bgnbd.fit(people.x, people.t_x, people.T)
    assert (found.r, found.alpha) == (pytest.approx(r, rel=0.1), pytest.approx(alpha, rel=0.1))
    assert (found.a / (found.a + found.b)) == pytest.approx(a / (a + b), rel=0.05)

    truth = BgNbd(r, alpha, a, b)
    alive = truth.alive(people.x, people.t_x, people.T)
    expected = truth.expected(26.0, people.x, people.t_x, people.T)
    for low, high in ((0, 0), (1, 1), (2, 3), (4, 100)):
        these = (people.x >= low) & (people.x <= high)
        n = int(these.sum())
        assert n > 300
        # Four standard errors of what was counted.
        near = 4 * people.is_alive[these].std() / np.sqrt(n) + 1e-3
        assert alive[these].mean() == pytest.approx(people.is_alive[these].mean(), abs=near)
        near = 4 * people.later[these].std() / np.sqrt(n) + 1e-3
        assert expected[these].mean() == pytest.approx(people.later[these].mean(), abs=near)
    new = truth.expected_of_new(people.T).mean()
    assert new == pytest.approx(people.x.mean(), abs=4 * people.x.std() / np.sqrt(people.x.size))


def test_what_people_spend_is_found_again() -> None:
    rng = np.random.default_rng(5)
    p, q, v = 4.0, 3.0, 2000.0
    x = rng.integers(1, 12, 40_000).astype(float)
    m = rng.gamma(p * x, 1 / (x * rng.gamma(q, 1 / v, x.size)))
    found = gamma_gamma.fit(x, m)
    assert (found.p, found.q) == (pytest.approx(p, rel=0.05), pytest.approx(q, rel=0.05))
    assert found.mean == pytest.approx(p * v / (q - 1), rel=0.03)


parameter = st.floats(0.01, 40)
models = st.builds(BgNbd, r=parameter, alpha=st.floats(0.05, 500), a=parameter, b=parameter)


@settings(max_examples=150, deadline=None)
@given(
    model=models,
    x=st.integers(0, 5000),
    share=st.floats(0, 1),
    T=st.floats(0.01, 3650),
    t=st.floats(0.1, 3650),
)
def test_nothing_overflows_and_more_time_is_never_less(
    model: BgNbd, x: int, share: float, T: float, t: float
) -> None:
    many = np.full(3, float(x))
    # The same purchases, the last ever longer ago.
    observed = np.array([1.0, 1.2, 2.0]) * T
    last = np.full(3, share * T if x else 0.0)
    alive = model.alive(many, last, observed)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (np.diff(alive) <= 1e-12).all()
    soon = model.expected(t, many, last, observed)
    later = model.expected(2 * t, many, last, observed)
    assert np.isfinite(soon).all()
    assert (soon >= -1e-9).all()
    # Never more than at the rate that was seen, had nobody left.
    assert (soon <= (model.r + many) / (model.alpha + observed) * t * (1 + 1e-6) + 1e-9).all()
    assert (later >= soon * (1 - 1e-6) - 1e-9).all()


def test_a_model_is_smooth_where_its_formula_has_a_hole() -> None:
    people = [np.array([value]) for value in (2.0, 10.0, 20.0)]
    around = [BgNbd(0.5, 5.0, a, 2.0).expected(30.0, *people)[0] for a in (0.999, 1.0, 1.001)]
    assert around[1] == pytest.approx((around[0] + around[2]) / 2, rel=1e-5)
    empty = [np.array([value]) for value in (0.0, 0.0, 20.0)]
    around = [BgNbd(0.5, 5.0, 0.4, b).expected(30.0, *empty)[0] for b in (0.599, 0.6, 0.601)]
    assert around[1] == pytest.approx((around[0] + around[2]) / 2, rel=1e-5)


@given(x=st.floats(1, 500), m=st.floats(0.01, 1e6))
def test_what_is_expected_lies_between_her_own_mean_and_that_of_all(x: float, m: float) -> None:
    model = GammaGamma(6.25, 3.74, 15.44)
    found = model.expected(np.array([0.0, x, 2 * x]), np.array([0.0, m, m]))
    assert found[0] == pytest.approx(model.mean)
    low, high = sorted((m, model.mean))
    assert low * (1 - 1e-9) <= found[1] <= high * (1 + 1e-9)
    # The more was seen, the more it counts.
    assert abs(found[2] - m) <= abs(found[1] - m) + 1e-9


def test_nothing_can_be_told_when_nobody_came_again() -> None:
    zeros = np.zeros(5)
    with pytest.raises(ValueError, match="nobody"):
        bgnbd.fit(zeros, zeros, np.full(5, 30.0))
    with pytest.raises(ValueError, match="nobody"):
        gamma_gamma.fit(zeros, zeros)
