"""The features once more, in plain loops for each observation over what had happened by then: slow, easy to check."""

import math
from collections import defaultdict
from statistics import median

import numpy as np
import pandas as pd

from waste_risk.reference import shelf_life

DAY = 86_400
NAN = float("nan")
USUAL = {"dairy": 280, "produce": 380, "meat": 220, "grains": 120, "canned": 50, "frozen": 80, "beverages": 150}


def reference_features(observations, households, items, events) -> pd.DataFrame:
    """One row of plain numbers for each observation."""
    known_items = {row["item_id"]: _item(row) for row in items.to_dict("records")}
    by_household = defaultdict(list)
    for item in known_items.values():
        by_household[item["household"]].append(item)
    for row in events.to_dict("records"):
        if row["item_id"] in known_items:
            happened = (_seconds(row["occurred_on"]), row["kind"], round(row["quantity"] * 1000))
            known_items[row["item_id"]]["events"].append(happened)
    homes = {row["household_id"]: row for row in households.to_dict("records")}
    return pd.DataFrame(
        _features(known_items[each["item_id"]], by_household, homes, _seconds(each["observed_on"]))
        for each in observations.to_dict("records")
    )


def _features(own, by_household, homes, now) -> dict:
    """What can be said now, from the events before now of items bought before now."""
    home = homes.get(own["household"], {"size": NAN, "children": NAN, "income_band": None})
    mine = [_fate(item, now) for item in by_household[own["household"]] if item["bought"] < now]
    me = next(item for item in mine if item["id"] == own["id"])
    same = [item for item in mine if item["category"] == me["category"]]
    twins = [item for item in mine if item["product"] == me["product"]]
    f = {**_item_group(me), **_time_group(me, now), **_quantity_group(me, now)}
    f |= _household_group(me, mine, same, home, now) | _household_history(mine, now)
    f |= _category_history(me, mine, same, twins) | _weekdays(me, now) | _shopping(me, mine, same, twins, now)
    return f | _interactions({name: _single(value) for name, value in f.items()})


def _item(row) -> dict:
    bought, printed = _seconds(row["purchased_on"]), _seconds(row["expires_on"])
    reference, opened = _lives(row["product"], row["category"], row["storage"])
    by_reference = bought + round(reference * DAY)
    expiry = by_reference if printed is None else printed
    if printed is not None and row["storage"] == "freezer":
        expiry = max(printed, by_reference)
    amount, price = round(row["quantity"] * 1000), row["unit_price"]
    return {
        "id": row["item_id"],
        "household": row["household_id"],
        "product": row["product"],
        "category": row["category"] if row["category"] in USUAL else "other",
        "storage": row["storage"],
        "bought": bought,
        "printed": printed,
        "expiry": expiry,
        "life": max(expiry - bought, DAY),
        "reference": reference,
        "opened_life": opened,
        "amount": amount,
        "price": price,
        "cents": None if math.isnan(price) else round(price * amount / 10),
        "promoted": NAN if pd.isna(row["on_promotion"]) else float(row["on_promotion"]),
        "events": [],
    }


def _lives(product, category, storage) -> tuple[float, float]:
    table = shelf_life().to_dict("records")
    listed = [row for row in table if row["product"] == product and row["storage"] == storage]
    if listed:
        return listed[0]["life_days"], listed[0]["opened_life_days"]
    for group in (
        [row for row in table if row["category"] == category and row["storage"] == storage],
        [row for row in table if row["category"] == category],
        table,
    ):
        if group:
            return median(row["life_days"] for row in group), NAN
    raise AssertionError


def _fate(item, now) -> dict:
    """The item, and what came of it before now."""
    events = sorted(event for event in item["events"] if event[0] < now)
    bought, left, emptied = item["bought"], item["amount"], None
    for second in sorted({second for second, _, _ in events}):
        left -= sum(q for s, kind, q in events if s == second and kind in ("consumed", "wasted", "corrected"))
        if left <= 0 and emptied is None:
            emptied = max(second, bought)
    uses = [(max(second, bought), amount) for second, kind, amount in events if kind == "consumed"]
    touches = [max(second, bought) for second, kind, _ in events if kind in ("opened", "consumed")]
    wasted = [max(second, bought) for second, kind, _ in events if kind == "wasted"]
    ended = min((moment for moment in (emptied, *wasted[:1]) if moment is not None), default=None)
    moments = [bought, *(second for second, _ in uses)]
    gaps = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
    return item | {
        "left": left,
        "emptied": emptied,
        "uses": uses,
        "gaps": gaps,
        "gaps_in_life": [gap * 1000 // item["life"] for gap in gaps],
        "shares": [min(max(amount * 1000 // item["amount"], 0), 1000) for _, amount in uses],
        "opened": min(touches, default=None),
        "moved": any(kind == "moved" for _, kind, _ in events),
        "ended": ended,
        "wasted": ended is not None and wasted[:1] == [ended],
    }


def _item_group(me) -> dict:
    return {
        **{f"is_{category}": me["category"] == category for category in USUAL},
        **{f"is_in_{storage}": me["storage"] == storage for storage in ("fridge", "freezer", "pantry")},
        "quantity": me["amount"] / 1000,
        "unit_price": me["price"],
        "line_cost": NAN if me["cents"] is None else me["cents"] / 100,
        "on_promotion": me["promoted"],
        "printed_life_days": NAN if me["printed"] is None else (me["printed"] - me["bought"]) / DAY,
        "reference_life_days": me["reference"],
        "reference_opened_life_days": me["opened_life"],
        "was_moved": me["moved"],
    }


def _time_group(me, now) -> dict:
    since_opened = NAN if me["opened"] is None else (now - me["opened"]) / DAY
    last_touch = max([me["bought"], *(second for second, _ in me["uses"]), me["opened"] or me["bought"]])
    return {
        "age_days": (now - me["bought"]) / DAY,
        "life_days": me["life"] / DAY,
        "days_left": (me["expiry"] - now) / DAY,
        "days_to_printed_date": NAN if me["printed"] is None else (me["printed"] - now) / DAY,
        "life_used": (now - me["bought"]) / me["life"],
        "is_opened": me["opened"] is not None,
        "days_since_opened": since_opened,
        "opened_life_used": since_opened / me["opened_life"],
        "days_since_last_touch": (now - last_touch) / DAY,
    }


def _quantity_group(me, now) -> dict:
    used, n_uses = sum(amount for _, amount in me["uses"]), len(me["uses"])
    finish = _ratio(me["left"] * ((now - me["bought"]) / DAY), used)
    return {
        "share_left": me["left"] / me["amount"],
        "uses_so_far": min(n_uses, 50),
        "share_per_use": _ratio(used, me["amount"] * n_uses),
        "mean_days_between_uses": _ratio((me["uses"][-1][0] - me["bought"]) / DAY, n_uses) if n_uses else NAN,
        "days_to_finish_at_pace": finish,
        "days_to_finish_minus_days_left": finish - (me["expiry"] - now) / DAY,
    }


def _household_group(me, mine, same, home, now) -> dict:
    is_open = [item for item in mine if item["emptied"] is None]
    past = [item for item in is_open if item["printed"] is not None and item["printed"] < now]
    return {
        **{f"income_is_{band}": _meant(home["income_band"], band) for band in ("low", "middle", "high")},
        "household_size": home["size"],
        "household_children": NAN if pd.isna(home["children"]) else home["children"],
        "quantity_left_per_person": _ratio(me["left"] / 1000, home["size"]),
        "open_items": min(len(is_open), 200),
        "open_items_in_category": min(sum(item["emptied"] is None for item in same), 200),
        "open_items_past_date": min(len(past), 200),
    }


def _household_history(mine, now) -> dict:
    ended = [item for item in mine if item["ended"] is not None]
    wasted = [item for item in ended if item["wasted"]]
    lately = [item for item in ended if item["ended"] >= now - 90 * DAY]
    uses = [second for item in mine for second, _ in item["uses"] if second >= now - 14 * DAY]
    return {
        "waste_rate": (len(wasted) + 2.0) / (len(ended) + 8),
        "waste_to_usual": _waste_to_usual(mine),
        "waste_rate_90d": _ratio(sum(item["wasted"] for item in lately), len(lately)),
        "days_since_last_waste": min((now - max(item["ended"] for item in wasted)) / DAY, 90) if wasted else NAN,
        "uses_per_day_14d": len(uses) / 14,
    }


def _waste_to_usual(mine) -> float:
    ended = [item for item in mine if item["ended"] is not None]
    usual = sum(USUAL.get(item["category"], 245) for item in ended)
    return (sum(item["wasted"] for item in ended) + 2.0) / (usual / 1000 + 2.0)


def _category_history(me, mine, same, twins) -> dict:
    ended = [item for item in same if item["ended"] is not None]
    n_wasted = sum(item["wasted"] for item in ended)
    usual = USUAL.get(me["category"], 245) / 1000
    rate = (n_wasted + min(usual * _waste_to_usual(mine), 1) * 5) / (len(ended) + 5)
    of_product = [item for item in twins if item["ended"] is not None]
    last = [item["wasted"] for item in ended if item["ended"] == max(other["ended"] for other in ended)]
    gaps = [gap for item in same for gap in item["gaps"]]
    first = [item["gaps_in_life"][0] for item in same if item["gaps"]]
    return {
        "category_waste_rate": rate,
        "category_last_wasted": _ratio(sum(last), len(last)),
        "category_mean_days_between_uses": _ratio(sum(gaps), len(gaps)) / DAY,
        "category_gap_in_life": _shrunk(same, mine, "gaps_in_life"),
        "category_first_gap_in_life": _ratio(sum(first) / 1000, len(first)),
        "category_share_per_use": _shrunk(same, mine, "shares"),
        "product_waste_rate": (sum(item["wasted"] for item in of_product) + 5 * rate) / (len(of_product) + 5),
    }


def _shrunk(same, mine, name) -> float:
    own, every = ([value for item in group for value in item[name]] for group in (same, mine))
    return (sum(own) + 3 * _ratio(sum(every), len(every))) / (len(own) + 3) / 1000


def _weekdays(me, now) -> dict:
    observed, bought = (np.datetime64(second, "s").item() for second in (now, me["bought"]))
    return {
        "purchase_weekday": bought.weekday(),
        "look_weekday": observed.weekday(),
    }


def _shopping(me, mine, same, twins, now) -> dict:
    lines = sorted(item["bought"] for item in mine)
    lines_90d = [second for second in lines if second >= now - 90 * DAY]
    of_day = {}
    for second in lines:
        of_day.setdefault(second // DAY, second)
    trips = [second for second in of_day.values() if second >= now - 90 * DAY]
    usual = 14 * (len(lines_90d) / min(max((now - lines[0]) / DAY, 14), 90))
    touched = max([me["bought"], *(second for second, _ in me["uses"]), me["opened"] or me["bought"]])
    at_touch = [second for second in lines if touched - 14 * DAY <= second <= touched]
    earlier = [item for item in same if item["bought"] < me["bought"]]
    cents = [item["cents"] for item in earlier if item["cents"] is not None]
    gap = min((me["bought"] - max(item["bought"] for item in earlier)) / DAY, 90) if earlier else NAN
    return {
        "days_since_last_trip": min((now - lines[-1]) / DAY, 90),
        "category_share_90d": _ratio(sum(item["bought"] >= now - 90 * DAY for item in same), len(lines_90d)),
        "mean_days_between_trips_90d": _ratio((trips[-1] - trips[0]) / DAY, len(trips) - 1) if trips else NAN,
        "lines_in_trip": sum(second // DAY == me["bought"] // DAY for second in lines),
        "lines_14d_to_usual": _ratio(sum(second >= now - 14 * DAY for second in lines), usual),
        "lines_at_last_touch_to_usual": _ratio(len(at_touch), usual),
        "cost_to_usual": NAN if me["cents"] is None else _ratio(me["cents"], _ratio(sum(cents), len(cents))),
        "days_from_previous_in_category": gap,
        "category_lines_since": min(sum(item["bought"] > me["bought"] for item in same), 50),
        "product_open_items": min(sum(item["emptied"] is None for item in twins), 50),
    }


def _interactions(f) -> dict:
    """Of the features in single precision, as they are stored."""
    between = f["category_gap_in_life"] * f["life_days"]
    per_use = f["category_share_per_use"] if math.isnan(f["share_per_use"]) else f["share_per_use"]
    uses_left = _ratio(f["share_left"], per_use)
    return {
        "silence_in_life": _ratio(f["days_since_last_touch"], f["life_days"]),
        "silence_to_usual": _ratio(f["days_since_last_touch"], between),
        "expected_uses_left": uses_left,
        "expected_days_to_finish": uses_left * between,
        "expected_finish_minus_days_left": uses_left * between - f["days_left"],
        "share_left_minus_life_left": f["share_left"] - (1 - f["life_used"]),
        "category_waste_rate_by_life_used": f["category_waste_rate"] * f["life_used"],
    }


def _meant(word, one) -> float:
    return NAN if word is None else word == one


def _single(value):
    return float(np.float32(value))


def _ratio(top, bottom) -> float:
    return top / bottom if bottom > 0 else NAN


def _seconds(moment) -> int | None:
    if moment is pd.NaT:
        return None
    return min(int(np.datetime64(moment, "us").astype("datetime64[s]").astype(np.int64)), 2**32 - 2)
