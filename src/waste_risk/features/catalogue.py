"""The features: name, type, group, and in a sentence what each means and when it is null.

A word is a feature for each level it may have, 0 in all of them for any other word. "Before the look" is meant
throughout. Rates are shares in [0, 1], durations days, and "usual" is the household's own.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Feature:
    """One column of the features table."""

    name: str
    dtype: Literal["float32"]
    group: str
    meaning: str


def _numbers(group: str, **meanings: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, "float32", group, meaning) for name, meaning in meanings.items())


FEATURES: tuple[Feature, ...] = (
    *_numbers(
        "item",
        is_dairy="1 if it is dairy or eggs; null without a category",
        is_produce="1 if it is fruit or vegetables; null without a category",
        is_meat="1 if it is meat or fish; null without a category",
        is_grains="1 if it is bread, cereals or made of other grain; null without a category",
        is_canned="1 if it is canned or in a jar; null without a category",
        is_frozen="1 if it was sold frozen; null without a category",
        is_beverages="1 if it is a beverage; null without a category",
        is_in_fridge="1 if it was put into the fridge on the day of purchase; null if unknown",
        is_in_freezer="1 if it was put into the freezer on the day of purchase; null if unknown",
        is_in_pantry="1 if it was put into the pantry on the day of purchase; null if unknown",
        quantity="quantity bought, in its unit",
        unit_price="price of one unit; null if unknown",
        line_cost="price of the whole line; null if unknown",
        on_promotion="1 if bought on promotion, 0 if not; null if unknown",
        printed_life_days="days from purchase to the printed date; null without one",
        reference_life_days="days the product keeps unopened where it is stored; the category's median if not listed",
        reference_opened_life_days="days the product keeps once opened; null if no shorter, or if not listed",
        was_moved="1 if it was moved to another place since",
    ),
    *_numbers(
        "time",
        age_days="days since the purchase",
        life_days="days from purchase to expiry: the printed date, else the reference; the later one in a freezer",
        days_left="days from the look to expiry; negative after it",
        days_to_printed_date="days from the look to the printed date; negative after it; null without one",
        life_used="age as a share of life_days",
        is_opened="1 if it was opened or used",
        days_since_opened="days since it was first opened or used; null if unopened",
        opened_life_used="days_since_opened as a share of reference_opened_life_days; null if either is",
        days_since_last_touch="days since it was last used, or first opened, or else bought",
    ),
    *_numbers(
        "quantity",
        share_left="share of the quantity bought that is left",
        uses_so_far="how often it was used, 50 at most",
        share_per_use="mean share of the quantity bought taken at a use; null if never used",
        mean_days_between_uses="days from purchase to the last use, per use; null if never used",
        days_to_finish_at_pace="days until it is finished at its own pace so far; null if never used",
        days_to_finish_minus_days_left="days_to_finish_at_pace less days_left: above 0 it comes too late",
    ),
    *_numbers(
        "household",
        income_is_low='1 if the income band is low, 0 if it is another or "unknown"; null if missing',
        income_is_middle='1 if the income band is middle, 0 if it is another or "unknown"; null if missing',
        income_is_high='1 if the income band is high, 0 if it is another or "unknown"; null if missing',
        household_size="members; null if unknown",
        household_children="children; null if unknown",
        quantity_left_per_person="quantity left for each member; null if the size is unknown",
        open_items="open items of the household, this one included, 200 at most",
        open_items_in_category="open items of the household in the category, this one included, 200 at most",
        open_items_past_date="open items of the household whose printed date has passed, 200 at most",
    ),
    *_numbers(
        "household_history",
        waste_rate="share of the household's ended items that were wasted, shrunk towards 0.25 by 8 items",
        waste_to_usual="wasted items over those usually wasted in the same categories, shrunk towards 1 by 8 items",
        waste_rate_90d="share wasted of the items that ended in 90 days; null without any",
        days_since_last_waste="days since the household last threw something away, 90 at most; null if it never did",
        uses_per_day_14d="uses of any item on a day, over 14 days",
    ),
    *_numbers(
        "category_history",
        category_waste_rate="share wasted of the household's ended items in the category, shrunk by 5 items towards "
        "the usual rate of the category times waste_to_usual",
        category_last_wasted="1 if the category's latest ended item was wasted, 0 if used up; null without one",
        category_mean_days_between_uses="mean days between uses of an item of the category; null without any",
        category_gap_in_life="mean days between uses as a share of the item's life, in the category, shrunk by 3 uses "
        "towards the household's; null if it never used anything",
        category_first_gap_in_life="mean days from purchase to first use as a share of life, in the category; null "
        "without any",
        category_share_per_use="mean share of an item taken at a use in the category, shrunk like category_gap_in_life",
        product_waste_rate="share wasted of the household's ended items of the product, shrunk by 5 items towards "
        "category_waste_rate",
    ),
    *_numbers(
        "weekdays",
        purchase_weekday="weekday of the purchase, Monday is 0",
        look_weekday="weekday of the look, Monday is 0",
    ),
    *_numbers(
        "shopping",
        days_since_last_trip="days since the household last bought anything, 90 at most",
        category_share_90d="share of the category in the lines of 90 days; null without lines",
        mean_days_between_trips_90d="mean days between days with purchases, over 90 days; null with fewer than two",
        lines_in_trip="lines bought on the day of the item's purchase",
        lines_14d_to_usual="lines of 14 days over those usual for 14 days, by the last 90; null without lines",
        lines_at_last_touch_to_usual="lines of the 14 days before it was last in hand, over those usual; null likewise",
        cost_to_usual="cost of the line over the mean of earlier lines of the category; null without prices",
        days_from_previous_in_category="days from the category's previous line to this one, 90 at most; null if first",
        category_lines_since="later lines of the category, 50 at most",
        product_open_items="open items of the same product, this one included, 50 at most",
    ),
    *_numbers(
        "interactions",
        silence_in_life="days_since_last_touch as a share of life_days",
        silence_to_usual="days_since_last_touch over the days between uses that category_gap_in_life lets expect",
        expected_uses_left="uses until finished, by its own share per use, else by the category's; null without either",
        expected_days_to_finish="expected_uses_left times the days between uses that category_gap_in_life lets expect",
        expected_finish_minus_days_left="expected_days_to_finish less days_left: above 0 it comes too late",
        share_left_minus_life_left="share left less share of life left: above 0 it is used more slowly than it ages",
        category_waste_rate_by_life_used="category_waste_rate times life_used",
    ),
)

FEATURE_NAMES = tuple(feature.name for feature in FEATURES)
