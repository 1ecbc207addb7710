"""SciPy with types: it brings none, so what is used of it is named here once.

It is imported where it is called: it takes as long as a third of all else that a process starts
with, and most processes never fit a model.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]


def ln_gamma(x: Any) -> Any:
    """Return the logarithm of the gamma function."""
    from scipy.special import gammaln

    return gammaln(x)


def ln_beta(a: Any, b: Any) -> Any:
    """Return the logarithm of the beta function."""
    from scipy.special import betaln

    return betaln(a, b)


def psi(x: Any) -> Any:
    """Return the digamma function: how fast `ln_gamma` grows."""
    from scipy.special import psi

    return psi(x)


def expit(x: Any) -> Any:
    """Return the logistic function."""
    from scipy.special import expit

    return expit(x)


def hyp2f1(a: Any, b: Any, c: Any, z: Any) -> Any:
    """Return Gauss's hypergeometric function 2F1."""
    from scipy.special import hyp2f1

    return hyp2f1(a, b, c, z)


def least(
    function: Callable[[Numbers], tuple[float, Numbers]],
    start: Sequence[float],
    limits: Sequence[tuple[float, float]],
) -> tuple[Numbers, float]:
    """Return where in the positive `limits` a function is least, and what it is there.

    It is called with logarithms, and returns its value and its gradient by them.
    """
    from scipy.optimize import minimize

    found = minimize(
        function,
        np.log(start),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(low), np.log(high)) for low, high in limits],
        options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-7},
    )
    return np.exp(cast("Numbers", found.x)), float(found.fun)


def alike(*columns: Numbers) -> tuple[Numbers, NDArray[np.intp], NDArray[np.intp]]:
    """Return the different rows of these columns (by column), how many there are of each, and
    for each row which of them it is."""
    order = np.lexsort(columns)
    ordered = np.stack(columns)[:, order]
    begins = np.ones(order.size, dtype=bool)
    begins[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    which = np.empty(order.size, dtype=np.intp)
    which[order] = np.cumsum(begins) - 1
    return ordered[:, begins], np.bincount(which), which
