"""Whether differences between scores are real: intervals, paired tests, rank sets. Pure, on plain arrays.

The unit is the photo: tiles that were cut from one photo are alike, and counting them as if they were not makes
nearly every difference look real. Everything here rests on one assumption, that a unit's deviation from the mean is
as likely to lie above as below (its distribution is symmetric), and on one device, flipping the signs of the units'
deviations: :mod:`scoring.statistics.signflip`. ``docs/statistics.md`` shows how it holds up in simulation.

The same data gives the same figures on any machine and with any version of numpy: there is no random generator.
"""

from __future__ import annotations

from scoring.statistics.means import MeanIntervals, mean_intervals
from scoring.statistics.pairs import PairedDifference, holm, paired_difference
from scoring.statistics.ranks import RankSets, rank_sets
from scoring.statistics.signflip import TooFewUnits
from scoring.statistics.units import Units, unit_scores

__all__ = [
    "MeanIntervals",
    "PairedDifference",
    "RankSets",
    "TooFewUnits",
    "Units",
    "holm",
    "mean_intervals",
    "paired_difference",
    "rank_sets",
    "unit_scores",
]
