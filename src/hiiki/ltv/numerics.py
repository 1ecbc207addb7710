"""SciPy with types: it brings none, so what is used of it is named here once."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Numbers: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Any], Any]

ln_gamma = cast("Function", special.gammaln)
ln_beta = cast("Callable[[Any, Any], Any]", special.betaln)
psi = cast("Function", special.psi)
expit = cast("Function", special.expit)
hyp2f1 = cast("Callable[[Any, Any, Any, Any], Any]", special.hyp2f1)


def least(
    function: Callable[[Numbers], tuple[float, Numbers]],
    start: Sequence[float],
    limits: Sequence[tuple[float, float]],
) -> tuple[Numbers, float]:
    """Return where in the positive `limits` a function is least, and what it is there.

    It is called with logarithms, and returns its value and its gradient by them.
    """
    found = optimize.minimize(
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
