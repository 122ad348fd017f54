"""What each feature means to a household: a sentence with its value, and one for when there is none.

Features of one topic say nearly the same, so at most one of them is told. A rate is told in tenths, a part in percent,
a ratio as times the usual, a duration in days.
"""

from waste_risk.model.reasons.plain import (
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
    return either(f"It is {what}.", f"It is not {what}."), "What kind of food it is, is unknown."


def _put(place: str) -> tuple[Tell, str]:
    return either(f"It went into {place}.", f"It did not go into {place}."), "Its place is unknown."


def _income(band: str) -> tuple[Tell, str]:
    return either(f"Your income band is {band}.", f"Your income band is not {band}."), "Your income band is unknown."


_LIFE = "How long it keeps is unknown."
_DATE = "Its printed date is unknown."
_CLOSED = "It has not been opened yet."
_UNUSED = "It has not been used yet."
_NO_WASTE = "Whether you throw food away is unknown: you have not done so yet."
_NO_ENDED = "What becomes of your food is unknown: nothing has been used up or thrown away yet."
_NO_USE = "How you use food of this kind is unknown: you have not used any yet."
_HOME = "What you have is unknown."
_USUAL = "What you usually buy is unknown."
_SPEED = "How fast you use it is unknown."
_NO_SHOPPING = "How often you shop is unknown."

_LEFT = sides(
    days, above="It keeps for {} more.", below="Its time ran out {} ago.", near="It keeps until today, no longer."
)
_DATE_LEFT = sides(
    days, above="Its printed date is in {}.", below="Its printed date passed {} ago.", near="Its printed date is today."
)
_PACE = sides(
    days,
    above="At the pace so far it is finished {} after it expires.",
    below="At the pace so far it is finished {} before it expires.",
    near="At the pace so far it is finished just when it expires.",
)
_EXPECTED = sides(
    days,
    above="At your usual pace it is finished {} after it expires.",
    below="At your usual pace it is finished {} before it expires.",
    near="At your usual pace it is finished just when it expires.",
)

WORDINGS: dict[str, Wording] = {
    **about(
        "kind",
        is_dairy=_is("dairy or eggs"),
        is_produce=_is("fruit or vegetables"),
        is_meat=_is("meat or fish"),
        is_grains=_is("bread, cereals or other grain"),
        is_canned=_is("canned or in a jar"),
        is_frozen=_is("sold frozen"),
        is_beverages=_is("a beverage"),
    ),
    **about(
        "place",
        is_in_fridge=_put("the fridge"),
        is_in_freezer=_put("the freezer"),
        is_in_pantry=_put("the pantry"),
        was_moved=(either("It was moved since.", "It was not moved since."), "Whether it was moved is unknown."),
    ),
    **about(
        "amount",
        quantity=(tell("You bought {} of it.", amount), "How much you bought is unknown."),
        quantity_left_per_person=(
            tell("There is {} of it left for each of you.", amount),
            "How many you are is unknown.",
        ),
        share_left=(tell("{} of it is left.", percent), "How much is left is unknown."),
    ),
    **about(
        "price",
        unit_price=(tell("One of it costs {}.", price), "Its price is unknown."),
        line_cost=(tell("All of it cost {}.", price), "Its price is unknown."),
        cost_to_usual=(
            tell("It cost {} usual for this kind.", times),
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
        life_days=(tell("It keeps for {} after the purchase.", days), _LIFE),
        printed_life_days=(tell("Its printed date lies {} after the purchase.", days), _DATE),
        reference_life_days=(tell("Food like this keeps for {} unopened.", days), _LIFE),
        days_left=(_LEFT, _LIFE),
        days_to_printed_date=(_DATE_LEFT, _DATE),
        life_used=(tell("{} of its time has passed.", percent), _LIFE),
    ),
    **about(
        "opened",
        is_opened=(either("It is open.", "It is still closed."), "Whether it is open is unknown."),
        days_since_opened=(tell("It has been open for {}.", days), _CLOSED),
        reference_opened_life_days=(
            tell("Once open, it keeps for {}.", days),
            "How long it keeps once open is unknown.",
        ),
        opened_life_used=(
            tell("{} of the time it keeps once open has passed.", percent),
            "How long it has been open is unknown.",
        ),
    ),
    **about(
        "pace",
        days_since_last_touch=(tell("It was last in your hands {} ago.", days), "When it was last used is unknown."),
        silence_in_life=(tell("It has been left alone for {} of its time.", percent), _LIFE),
        silence_to_usual=(tell("It has been left alone {} is usual with you.", times), "How you use food is unknown."),
        uses_so_far=(tell("It was used {} so far.", counted("time", 50)), _UNUSED),
        share_per_use=(tell("You take {} of it at a time.", percent), _UNUSED),
        mean_days_between_uses=(tell("You use it {}.", every), _UNUSED),
        days_to_finish_at_pace=(tell("At the pace so far it lasts for another {}.", days), _UNUSED),
        days_to_finish_minus_days_left=(_PACE, _UNUSED),
        expected_uses_left=(
            tell("It has to be used about {} more until it is finished.", counted("time")),
            "How often it will be used is unknown.",
        ),
        expected_days_to_finish=(tell("At your usual pace it lasts for another {}.", days), _SPEED),
        expected_finish_minus_days_left=(_EXPECTED, _SPEED),
        share_left_minus_life_left=(
            tell("{} of it is left after {} of its time.", percent, percent),
            _LIFE,
            ("share_left", "life_used"),
        ),
    ),
    **about(
        "household",
        income_is_low=_income("low"),
        income_is_middle=_income("middle"),
        income_is_high=_income("high"),
        household_size=(tell("You are a household of {}.", amount), "How many you are is unknown."),
        household_children=(
            tell("The children in your household: {}.", amount),
            "How many children you have is unknown.",
        ),
    ),
    **about(
        "pantry",
        open_items=(tell("You have {} at home, this one included.", counted("item", 200)), _HOME),
        open_items_in_category=(tell("You have {} of this kind at home.", counted("item", 200)), _HOME),
        open_items_past_date=(tell("You have {} past the printed date.", counted("item", 200)), _HOME),
        product_open_items=(tell("You have {} of the same product at home.", counted("pack", 50)), _HOME),
    ),
    **about(
        "waste",
        waste_rate=(tell("You usually throw away {} items.", tenths), _NO_ENDED),
        waste_to_usual=(tell("You throw away {} other households do.", times), _NO_ENDED),
        waste_rate_90d=(
            tell("In the last three months you threw away {} items.", tenths),
            "Your last three months are unknown.",
        ),
        days_since_last_waste=(tell("You last threw food away {} ago.", days), _NO_WASTE),
    ),
    **about(
        "waste of this kind",
        category_waste_rate=(tell("You usually throw away {} in this category.", tenths), _NO_ENDED),
        category_waste_rate_by_life_used=(
            tell("You usually throw away {} in this category, and {} of its time has passed.", tenths, percent),
            _NO_ENDED,
            ("category_waste_rate", "life_used"),
        ),
        category_last_wasted=(
            either("You threw away the last one of this kind.", "You used up the last one of this kind."),
            "What became of the last one of this kind is unknown.",
        ),
        product_waste_rate=(tell("You usually throw away {} of this product.", tenths), _NO_ENDED),
    ),
    **about(
        "use",
        uses_per_day_14d=(
            tell("Over the last two weeks you used food {} a day.", counted("time")),
            "How often you use food is unknown.",
        ),
        category_mean_days_between_uses=(tell("You use food of this kind {}.", every), _NO_USE),
        category_gap_in_life=(tell("Between two uses of this kind of food, {} of its time passes.", percent), _NO_USE),
        category_first_gap_in_life=(
            tell("You begin food of this kind when {} of its time has passed.", percent),
            _NO_USE,
        ),
        category_share_per_use=(tell("You take {} of this kind of food at a time.", percent), _NO_USE),
    ),
    **about(
        "weekdays",
        purchase_weekday=(tell("You bought it on a {}.", weekday), "When you bought it is unknown."),
        look_weekday=(tell("Today is a {}.", weekday), "What day it is, is unknown."),
    ),
    **about(
        "shopping",
        days_since_last_trip=(tell("You last went shopping {} ago.", days), _NO_SHOPPING),
        mean_days_between_trips_90d=(tell("You go shopping {}.", every), _NO_SHOPPING),
        lines_in_trip=(tell("You bought {} on that day.", counted("thing")), "What else you bought is unknown."),
        lines_14d_to_usual=(tell("In two weeks you have bought {} usual.", times), _USUAL),
        lines_at_last_touch_to_usual=(tell("When it was last in your hands, you had bought {} usual.", times), _USUAL),
        category_share_90d=(tell("Of what you buy, {} things are of this kind.", tenths), _USUAL),
    ),
    **about(
        "supply",
        days_from_previous_in_category=(
            tell("You bought it {} after the one before of this kind.", days),
            "It is the first of this kind.",
        ),
        category_lines_since=(
            tell("You have bought this kind again {} since.", counted("time", 50)),
            "What you bought since is unknown.",
        ),
    ),
}
