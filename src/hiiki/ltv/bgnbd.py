"""BG/NBD: how often customers buy, and whether they still are customers.

P. S. Fader, B. G. S. Hardie, K. L. Lee, "Counting Your Customers" the Easy Way: An Alternative to
the Pareto/NBD Model, Marketing Science 24 (2005) 275-284. The model: while she is a customer, a
person buys at random at a rate of her own (Gamma with `r`, `alpha`); after each purchase she may
stop for good, with a probability of her own (Beta with `a`, `b`). Three numbers say all that it
needs of a person: `x`, how many times she bought again; `t_x`, when she bought last; `T`, how long
she has been observed; both counted from her first purchase, in one unit of time.

Everything is computed in logarithms, and for whole arrays of people at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hiiki.ltv.numerics import Numbers, alike, expit, hyp2f1, least, ln_beta, ln_gamma, psi

LEAST = 1e-3
MOST = (100.0, 1e3, 50.0, 50.0)
"""Between which `r`, `alpha` (in units of the longest time observed), `a` and `b` are looked for.
Beyond, the likelihood is flat (people hardly differ from each other), and the hypergeometric
function overflows."""
NEAR_ONE = 1e-4


@dataclass(frozen=True, slots=True)
class BgNbd:
    """A fitted model. `alpha` is in the unit of time in which it was fitted."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    at_limit: bool = False
    """Whether a parameter was only stopped by the limits: predictions hold, the parameter not."""

    def alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        """Return the probability that a person is still a customer at `T` (equation 12's term).

        Somebody who bought once is one for certain: the model lets people leave only after a
        repeated purchase.
        """
        again = np.maximum(x, 1.0)
        odds_of_left = (
            np.log(self.a)
            - np.log(self.b + again - 1.0)
            + (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        )
        return np.where(x > 0, expit(-odds_of_left), 1.0)

    def expected(self, t: float, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        """Return how many purchases are expected of each person in the next `t` (equation 10)."""
        # Besides the probability of being a customer, it depends on x and T alone: a shop of a
        # million people has a few thousand different pairs of these.
        pairs, _people, which = alike(x, T)
        while_alive = self._while_alive(np.full_like(pairs[0], t), pairs[0], pairs[1])
        return self.alive(x, t_x, T) * while_alive[which]

    def expected_of_new(self, t: Numbers) -> Numbers:
        """Return how many purchases are expected of a new customer up to `t` (equation 9)."""
        nothing = np.zeros_like(t)
        return self._while_alive(t, nothing, nothing)

    def _while_alive(self, t: Numbers, x: Numbers, T: Numbers) -> Numbers:
        if abs(self.a - 1.0) < NEAR_ONE:  # a removable hole; what is on both sides of it is not
            sides = [
                BgNbd(self.r, self.alpha, 1.0 + side, self.b)._while_alive(t, x, T)
                for side in (-2 * NEAR_ONE, 2 * NEAR_ONE)
            ]
            return (sides[0] + sides[1]) / 2.0
        z = t / (self.alpha + T + t)
        c = self.a + self.b + x - 1.0
        c = np.where(np.abs(c) < 1e-7, 1e-7, c)
        # By Euler's transformation the power of r + x, which overflows for those who buy much,
        # becomes one of a - 1.
        first, second = self.a - 1.0, self.a + self.b - 1.0 - self.r
        series: Numbers = hyp2f1(first, second, c, z)
        if not np.isfinite(series).all():
            # For some parameters whose differences are whole numbers, SciPy says infinity.
            series = np.where(np.isfinite(series), series, hyp2f1(first, second + 1e-9, c, z))
        left = np.exp((self.a - 1.0) * np.log1p(-z)) * series
        return c / (self.a - 1.0) * (1.0 - left)


def fit(x: Numbers, t_x: Numbers, T: Numbers) -> BgNbd:
    """Return the most likely model of these people (equation 6, by L-BFGS with its gradient).

    Raises `ValueError` when nobody bought again, or there is nobody: then nothing can be told.
    """
    if x.size == 0 or not (x > 0).any():
        raise ValueError("nobody bought again")
    unit = float(T.max())
    likelihood = _Likelihood(x, t_x / unit, T / unit)
    found, lowest = least(likelihood, (1.0, 0.3, 1.0, 2.5), [(LEAST, most) for most in MOST])
    at_limit = bool(((found < 1.01 * LEAST) | (found > 0.99 * np.array(MOST))).any())
    r, alpha, a, b = (float(value) for value in found)
    total = -lowest * x.size - float(x.sum()) * float(np.log(unit))
    return BgNbd(r, alpha * unit, a, b, total, at_limit)


class _Likelihood:
    """The negative mean log-likelihood of logarithms of parameters, and its gradient."""

    def __init__(self, x: Numbers, t_x: Numbers, T: Numbers) -> None:
        # People of the same numbers count together.
        (self.x, self.t_x, self.T), people, _which = alike(x, t_x, T)
        self.people = people.astype(np.float64)
        # What is dear to compute depends on `x` alone, of which there are few different values.
        self.counts, self.which = np.unique(self.x, return_inverse=True)
        self.size = x.size

    def __call__(self, logs: Numbers) -> tuple[float, Numbers]:
        r, alpha, a, b = np.exp(logs)
        x, people, which = self.x, self.people, self.which
        again = np.where(x > 0, b + x - 1.0, 1.0)
        now, then = np.log(alpha + self.T), np.log(alpha + self.t_x)
        staying = -(r + x) * now
        with np.errstate(divide="ignore"):
            leaving = np.where(x > 0, np.log(a) - np.log(again) - (r + x) * then, -np.inf)
        either = np.logaddexp(staying, leaving)
        of_x = ln_gamma(r + self.counts) + ln_beta(a, b + self.counts)
        each = of_x[which] - ln_gamma(r) + r * np.log(alpha) - ln_beta(a, b) + either
        left = np.exp(leaving - either)
        stayed = 1.0 - left
        of_r = (psi(r + self.counts) - psi(r) + np.log(alpha))[which] - stayed * now - left * then
        of_alpha = r / alpha - (r + x) * (stayed / (alpha + self.T) + left / (alpha + self.t_x))
        both = psi(a + b) - psi(a + b + self.counts)
        of_a = both[which] + left / a
        of_b = (both + psi(b + self.counts) - psi(b))[which] - left / again
        gradient = np.array([_summed(people, of) for of in (of_r, of_alpha, of_a, of_b)])
        scale = np.array([r, alpha, a, b])
        return -_summed(people, each) / self.size, -gradient * scale / self.size


def _summed(people: Numbers, each: Numbers) -> float:
    # Not by `@`: its threads wait for each other, which costs more than the sum on a busy machine.
    return float(np.einsum("i,i->", people, each))
