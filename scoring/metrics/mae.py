"""Mean absolute error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.metrics.images import check_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mae(reference: NDArray[Any], submission: NDArray[Any], *, data_range: float) -> float:
    """Return the mean absolute error of two images of the same shape, as a fraction of the data range.

    Parameters
    ----------
    reference, submission
        Arrays of one shape (any), integer or floating, finite.
    data_range
        The level that counts as 1.0; positive.

    Returns
    -------
    float
        The mean of ``|reference − submission| / data_range`` over all pixels and channels; 0 when identical. Exact up
        to one rounding for integers of up to 16 bits.

    Raises
    ------
    ValueError
        Different shapes, an empty image, a data range that is not positive and finite, or NaN or infinity.
    TypeError
        An array that holds no real numbers.

    References
    ----------
    C. J. Willmott, K. Matsuura, "Advantages of the mean absolute error (MAE) over the root mean square error (RMSE)
    in assessing average model performance", Climate Research 30, 2005, equation 2.
    """
    check_pair(reference, submission, data_range)
    if all(array.dtype.kind in "ui" and array.dtype.itemsize <= 2 for array in (reference, submission)):
        total: float = int(np.abs(np.subtract(reference, submission, dtype=np.int32)).sum(dtype=np.int64))
    else:
        total = float(np.abs(np.subtract(reference, submission, dtype=np.float64)).sum())
    return total / (reference.size * data_range)
