"""Gamma-Gamma: what a customer spends on a purchase.

P. S. Fader, B. G. S. Hardie, The Gamma-Gamma Model of Monetary Value (2013),
http://www.brucehardie.com/notes/025/. The model: what a person spends scatters around a mean of
her own (Gamma with `p`), and these means differ from person to person (Gamma with `q`, `v`). The
mean that was seen of somebody who bought twice is drawn towards that of all; of somebody who
bought fifty times it is nearly taken as it is. It supposes that how much has nothing to do with
how often (`hiiki.ltv.learning` says how far that holds).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hiiki.ltv.numerics import Numbers, least, ln_gamma, psi

LEAST, MOST = 1e-3, 1e5


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """A fitted model; `v` is money."""

    p: float
    q: float
    v: float
    log_likelihood: float = float("nan")

    @property
    def mean(self) -> float:
        """What a purchase of anybody is expected to be."""
        return self.p * self.v / (self.q - 1.0)

    def expected(self, x: Numbers, m: Numbers) -> Numbers:
        """Return what each person is expected to spend on a purchase (equation 5).

        `x` purchases of hers had the mean `m`; where `x` is 0 it is the mean of all.
        """
        return self.p * (self.v + m * x) / (self.p * x + self.q - 1.0)


def fit(x: Numbers, m: Numbers) -> GammaGamma:
    """Return the most likely model of people who bought `x` times for `m` on average.

    Those whose `x` or `m` is 0 are left out, as in the paper. Raises `ValueError` when nobody
    is left.
    """
    some = (x > 0) & (m > 0)
    x, m = x[some], m[some]
    if x.size == 0:
        raise ValueError("nobody paid for anything again")
    # In units of the mean, yen and dollars are alike to the optimiser.
    unit = float(np.average(m, weights=x))
    scaled = m / unit
    log_scaled = np.log(scaled)
    # What is dear to compute depends on `x` alone, of which there are few different values.
    counts, which = np.unique(x, return_inverse=True)

    def negative(logs: Numbers) -> tuple[float, Numbers]:
        # Without q > 1 the mean of all would be infinite.
        p, q, v = np.exp(logs[0]), 1.0 + np.exp(logs[1]), np.exp(logs[2])
        pc, px, total = p * counts, p * x, v + scaled * x
        log_total = np.log(total)
        of_x = ln_gamma(pc + q) - ln_gamma(pc) - ln_gamma(q) + q * np.log(v) + pc * np.log(counts)
        each = of_x[which] + (px - 1.0) * log_scaled - (px + q) * log_total
        digamma = psi(pc + q)
        of_p = x * ((digamma - psi(pc) + np.log(counts))[which] - log_total + log_scaled)
        of_q = (digamma - psi(q) + np.log(v))[which] - log_total
        of_v = q / v - (px + q) / total
        gradient = np.array([of_p.mean() * p, of_q.mean() * (q - 1.0), of_v.mean() * v])
        return -float(each.mean()), -gradient

    found, lowest = least(negative, (4.0, 2.0, 1.0), [(LEAST, MOST)] * 3)
    p, more_than_one, v = (float(value) for value in found)
    total = -lowest * x.size - x.size * float(np.log(unit))
    return GammaGamma(p, 1.0 + more_than_one, v * unit, total)
