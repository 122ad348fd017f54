"""The features in the words of a household: a sentence with the value of each, and one for when there is none.

Features of one topic say nearly the same, so at most one of them is told. Rates are written in tenths, other shares in
percent, ratios as multiples of the usual, durations in days.
"""

from waste_risk.model.reasons.phrasing import (
    Tell,
    Wording,
    about,
    amount,
    counted,
    days,
    either,
    every,
    percent,
    price,
    sides,
    tell,
    tenths,
    times,
    weekday,
)


def _is(what: str) -> tuple[Tell, str]:
    return either(f"It is {what}.", f"It is not {what}."), "The kind of food is unknown."


def _put(place: str) -> tuple[Tell, str]:
    return either(f"You put it in {place}.", f"You did not put it in {place}."), "Where you put it is unknown."


def _income(band: str) -> tuple[Tell, str]:
    return either(f"Your income band is {band}.", f"Your income band is not {band}."), "Your income band is unknown."


_LIFE = "How long it keeps is unknown."
_DATE = "Its printed date is unknown."
_CLOSED = "It has not been opened yet."
_UNUSED = "It has not been used yet."
_NO_WASTE = "Whether you throw food away is unknown: you have not done so yet."
_NO_ENDED = "What becomes of your food is unknown: nothing has been used up or thrown away yet."
_NO_USE = "How you use food of this kind is unknown: you have not used any yet."
_HOME = "What you have at home is unknown."
_USUAL = "What you usually buy is unknown."
_SPEED = "How fast you use it is unknown."
_NO_SHOPPING = "How often you shop is unknown."

_LEFT = sides(days, above="It expires in {}.", below="It expired {} ago.", near="It expires today.")
_DATE_LEFT = sides(
    days, above="Its printed date is in {}.", below="Its printed date passed {} ago.", near="Its printed date is today."
)
_PACE = sides(
    days,
    above="At the pace so far, it will be finished {} after it expires.",
    below="At the pace so far, it will be finished {} before it expires.",
    near="At the pace so far, it will be finished on the day it expires.",
)
_EXPECTED = sides(
    days,
    above="At your usual pace, it will be finished {} after it expires.",
    below="At your usual pace, it will be finished {} before it expires.",
    near="At your usual pace, it will be finished on the day it expires.",
)

WORDINGS: dict[str, Wording] = {
    **about(
        "kind",
        is_dairy=_is("dairy or eggs"),
        is_produce=_is("fruit or vegetables"),
        is_meat=_is("meat or fish"),
        is_grains=_is("bread, cereals or other grain"),
        is_canned=_is("canned or in a jar"),
        is_frozen=_is("a frozen product"),
        is_beverages=_is("a beverage"),
    ),
    **about(
        "place",
        is_in_fridge=_put("the fridge"),
        is_in_freezer=_put("the freezer"),
        is_in_pantry=_put("the pantry"),
        was_moved=(
            either("You have moved it since you bought it.", "You have not moved it since you bought it."),
            "Whether you have moved it is unknown.",
        ),
    ),
    **about(
        "amount",
        quantity=(tell("You bought {} of it.", amount), "How much you bought is unknown."),
        quantity_left_per_person=(
            tell("What is left comes to {} per person.", amount),
            "The size of your household is unknown.",
        ),
        share_left=(tell("{} of it is left.", percent), "How much is left is unknown."),
    ),
    **about(
        "price",
        unit_price=(tell("It costs {} per unit.", price), "Its price is unknown."),
        line_cost=(tell("It cost {} in total.", price), "Its price is unknown."),
        cost_to_usual=(
            tell("It cost {} you usually pay for this kind.", times("much")),
            "What you usually pay for this kind is unknown.",
        ),
        on_promotion=(
            either("You bought it on promotion.", "You did not buy it on promotion."),
            "Whether it was on promotion is unknown.",
        ),
    ),
    **about(
        "time",
        age_days=(tell("You bought it {} ago.", days), "When you bought it is unknown."),
        life_days=(tell("It keeps for {} after purchase.", days), _LIFE),
        printed_life_days=(tell("Its printed date is {} after purchase.", days), _DATE),
        reference_life_days=(tell("Food like this keeps for {} unopened.", days), _LIFE),
        days_left=(_LEFT, _LIFE),
        days_to_printed_date=(_DATE_LEFT, _DATE),
        life_used=(tell("{} of its shelf life has passed.", percent), _LIFE),
    ),
    **about(
        "opened",
        is_opened=(either("It has been opened.", "It has not been opened."), "Whether it has been opened is unknown."),
        days_since_opened=(tell("It has been open for {}.", days), _CLOSED),
        reference_opened_life_days=(
            tell("Once opened, it keeps for {}.", days),
            "How long it keeps once opened is unknown.",
        ),
        opened_life_used=(
            tell("{} of the time it keeps once opened has passed.", percent),
            "How long it has been open is unknown.",
        ),
    ),
    **about(
        "pace",
        days_since_last_touch=(tell("You last handled it {} ago.", days), "When it was last used is unknown."),
        silence_in_life=(tell("It has gone unused for {} of its shelf life.", percent), _LIFE),
        silence_to_usual=(
            tell("It has gone unused for {} usual.", times("long")),
            "How often you use food is unknown.",
        ),
        uses_so_far=(tell("You have used it {} so far.", counted("time", 50)), _UNUSED),
        share_per_use=(tell("You use {} of it at a time.", percent), _UNUSED),
        mean_days_between_uses=(tell("You use it {}.", every), _UNUSED),
        days_to_finish_at_pace=(tell("At the pace so far, it will be finished in {}.", days), _UNUSED),
        days_to_finish_minus_days_left=(_PACE, _UNUSED),
        expected_uses_left=(
            tell("It will take about {} to finish it.", counted("more use")),
            "How often it will be used is unknown.",
        ),
        expected_days_to_finish=(tell("At your usual pace, it will be finished in {}.", days), _SPEED),
        expected_finish_minus_days_left=(_EXPECTED, _SPEED),
        share_left_minus_life_left=(
            tell("{} of it is left after {} of its shelf life.", percent, percent),
            _LIFE,
            ("share_left", "life_used"),
        ),
    ),
    **about(
        "household",
        income_is_low=_income("low"),
        income_is_middle=_income("middle"),
        income_is_high=_income("high"),
        household_size=(tell("You are a household of {}.", amount), "The size of your household is unknown."),
        household_children=(
            tell("Children in your household: {}.", amount),
            "How many children you have is unknown.",
        ),
    ),
    **about(
        "pantry",
        open_items=(tell("You have {} at home, including this one.", counted("item", 200)), _HOME),
        open_items_in_category=(tell("You have {} of this kind at home.", counted("item", 200)), _HOME),
        open_items_past_date=(tell("You have {} past their printed date.", counted("item", 200)), _HOME),
        product_open_items=(tell("You have {} of the same product at home.", counted("pack", 50)), _HOME),
    ),
    **about(
        "waste",
        waste_rate=(tell("You usually throw away {} items.", tenths), _NO_ENDED),
        waste_to_usual=(tell("You throw away {} other households do.", times("much")), _NO_ENDED),
        waste_rate_90d=(
            tell("In the last three months, you threw away {} items.", tenths),
            "Your last three months are unknown.",
        ),
        days_since_last_waste=(tell("You last threw food away {} ago.", days), _NO_WASTE),
    ),
    **about(
        "waste of this kind",
        category_waste_rate=(tell("You usually throw away {} items in this category.", tenths), _NO_ENDED),
        category_waste_rate_by_life_used=(
            tell(
                "You usually throw away {} items in this category, and {} of this item's shelf life has passed.",
                tenths,
                percent,
            ),
            _NO_ENDED,
            ("category_waste_rate", "life_used"),
        ),
        category_last_wasted=(
            either("You threw away the last one of this kind.", "You used up the last one of this kind."),
            "What became of the last one of this kind is unknown.",
        ),
        product_waste_rate=(tell("Of this product, you usually throw away {}.", tenths), _NO_ENDED),
    ),
    **about(
        "use",
        uses_per_day_14d=(
            tell("Over the last two weeks, you used food {} a day.", counted("time")),
            "How often you use food is unknown.",
        ),
        category_mean_days_between_uses=(tell("You use food of this kind {}.", every), _NO_USE),
        category_gap_in_life=(
            tell("Between two uses of this kind of food, {} of its shelf life passes.", percent),
            _NO_USE,
        ),
        category_first_gap_in_life=(
            tell("You usually start on food of this kind after {} of its shelf life.", percent),
            _NO_USE,
        ),
        category_share_per_use=(tell("You usually use {} of an item of this kind at a time.", percent), _NO_USE),
    ),
    **about(
        "weekdays",
        purchase_weekday=(tell("You bought it on a {}.", weekday), "When you bought it is unknown."),
        look_weekday=(tell("Today is a {}.", weekday), "The day of the week is unknown."),
    ),
    **about(
        "shopping",
        days_since_last_trip=(tell("You last went shopping {} ago.", days), _NO_SHOPPING),
        mean_days_between_trips_90d=(tell("You go shopping {}.", every), _NO_SHOPPING),
        lines_in_trip=(tell("You bought {} on that day.", counted("item")), "What else you bought is unknown."),
        lines_14d_to_usual=(tell("In the last two weeks, you bought {} usual.", times("much")), _USUAL),
        lines_at_last_touch_to_usual=(
            tell("When you last handled it, you had bought {} usual.", times("much")),
            _USUAL,
        ),
        category_share_90d=(tell("Of the items you buy, {} are of this kind.", tenths), _USUAL),
    ),
    **about(
        "supply",
        days_from_previous_in_category=(
            tell("You bought it {} after the previous item of this kind.", days),
            "It is the first of this kind.",
        ),
        category_lines_since=(
            tell("You have bought this kind of food {} since.", counted("time", 50)),
            "What you have bought since is unknown.",
        ),
    ),
}
