"""What monitoring found, in sentences that text, page and terminal share."""

from collections.abc import Iterator

from waste_risk.formatting import count_noun, format_count, format_interval, format_percent, format_signed
from waste_risk.metrics import FEWEST_HOUSEHOLDS
from waste_risk.monitoring import MonitoringMetrics
from waste_risk.monitoring.drift import FEWEST_MOMENTS

GAP_MEANS = (
    "Alerted items that are wasted less often than predicted, while the others are not, may have been saved by their "
    "alerts, which is what alerts are for; or else the model is too sure of itself at high probabilities. These "
    "outcomes alone do not tell which. A predictor trained on outcomes that alerts have changed learns that what it "
    "warns of is harmless, so neither training nor calibration may take them as they are."
)

NO_DRIFT = (
    f"Not measured: the source is too small. The newest moment and at least {FEWEST_MOMENTS} weekly moments of the "
    f"reference need open items of {FEWEST_HOUSEHOLDS} households each."
)


def tell_maturity(metrics: MonitoringMetrics) -> str:
    """Return how many weeks are mature, and when the next one is."""
    mature = sum(week.realized is not None for week in metrics.weeks)
    if not mature:
        return (
            f"No week is mature yet, so nothing is known of what became of the items: the first labels are known on "
            f"{metrics.next_mature_on}."
        )
    following = f"; the next labels are known on {metrics.next_mature_on}" if metrics.next_mature_on else ""
    return f"{mature} of {count_noun(len(metrics.weeks), 'week')} mature{following}."


def tell_recent(metrics: MonitoringMetrics) -> Iterator[str]:
    """Yield what the newest mature weeks say together; nothing without them."""
    recent, sure = metrics.recent, format_percent(metrics.alarm_confidence, 0)
    if recent is None:
        return
    yield (
        f"{count_noun(recent.n_weeks, 'newest mature week')} of version {recent.model_version}, "
        f"{recent.first_as_of[:10]} to {recent.last_as_of[:10]}, {format_count(recent.n_rows)} rows: mean probability "
        f"less base rate {format_signed(recent.gap, 4)} ({sure} interval {format_interval(recent.gap, 4, 'n/a')}), log "
        f"loss less expected {format_signed(recent.log_loss_excess, 4)} nats "
        f"({format_interval(recent.log_loss_excess, 4, 'n/a')})."
    )


def tell_later_alerts(metrics: MonitoringMetrics) -> Iterator[str]:
    """Yield how many of the rows without an alert had one before their label was known; nothing without any."""
    for group in metrics.groups:
        if group.name == "not alerted" and group.n_alerted_later:
            yield (
                f"Of the {count_noun(group.n_rows, 'row')} not alerted at their moment, "
                f"{format_count(group.n_alerted_later)} had an alert before their label was known: what alerts "
                "change is in their outcomes, too."
            )


def tell_alert_effect(metrics: MonitoringMetrics) -> Iterator[str]:
    """Yield what a share of items that are never alerted would buy; nothing if none was alerted."""
    effect = metrics.alert_effect
    if effect is None:
        return
    yield (
        f"Of items alerted for the first time {format_percent(effect.expected_waste_rate, 0)} are expected to be "
        f"wasted. To see alerts change that by {format_percent(effect.effect, 0)} with a probability of "
        f"{format_percent(effect.power, 0)}, {format_count(effect.never_alerted_items)} items would have to be left "
        f"without an alert: {format_percent(effect.share, 0)} of the {format_count(effect.new_alerts_per_week)} new "
        f"alerts a week for {count_noun(effect.weeks, 'week')}."
    )
