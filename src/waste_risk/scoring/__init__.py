"""The open items of a source at a moment, scored by the champion: probability, days, alerts and their reasons."""

from waste_risk.scoring.moment import check_records_before, count_older, find_as_of, learned_until, take_champion
from waste_risk.scoring.predictions import score_items

__all__ = ["check_records_before", "count_older", "find_as_of", "learned_until", "score_items", "take_champion"]
