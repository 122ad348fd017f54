"""What monitoring found, in sentences that text, page and terminal share."""

from collections.abc import Iterator

from waste_risk.formatting import count_noun, format_count, format_interval, format_percent, format_signed
from waste_risk.monitoring import MonitoringMetrics

GAP_MEANS = (
    "Alerted items that are wasted less often than predicted, while the others are not, are what alerts are for: they "
    "were saved. A predictor trained on such outcomes learns that what it warns of is harmless, so neither training "
    "nor calibration may take them as they are."
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
