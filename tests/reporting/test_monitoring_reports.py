"""What people read of monitoring: the text, the page, the plots, the closing lines."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from monitored import MONITORED, followed

from waste_risk.monitoring import MonitoringMetrics
from waste_risk.reporting.console import summarise_monitoring
from waste_risk.reporting.monitoring import render_monitoring_page, render_monitoring_text
from waste_risk.reporting.plots.monitoring import plot_monitored_alerts, plot_monitored_drift, plot_monitored_weeks

NOW = datetime(2025, 11, 12, 14, 30)
IMAGES = dict.fromkeys(("weeks", "drift", "alerted"), b"\x89PNG")
QUIET = followed(shift=0.0, drifted=False)
UNRIPE = replace(
    MONITORED,
    weeks=tuple(replace(week, realized=None) for week in MONITORED.weeks),
    recent=None,
    groups=(),
    alert_effect=None,
    alarms=(),
    next_mature_on="2024-07-03",
)


def test_the_text_is_80_columns_wide_and_has_its_sections_in_order() -> None:
    text = render_monitoring_text(MONITORED, generated_at=NOW)
    assert max(map(len, text.splitlines())) <= 80
    titles = re.findall(r"^([A-Z][A-Z →]+)(?: \(.*\))?\n-{80}$", text, re.MULTILINE)
    assert titles == ["ALARMS", "EXPECTED → REALIZED", "ALERTED AND NOT", "DRIFT"]
    assert "Generated: 2025-11-12 14:30:00" in text


def test_every_alarm_is_told_everywhere() -> None:
    page = render_monitoring_page(MONITORED, IMAGES, generated_at=NOW).replace("−", "-").replace("\u00a0", " ")
    words = " ".join(render_monitoring_text(MONITORED).split())
    lines = summarise_monitoring(MONITORED)
    assert len(MONITORED.alarms) == 2
    for alarm in MONITORED.alarms:
        assert alarm.message in words
        assert alarm.message in page
        assert any(alarm.message in line for line in lines)
    assert "2 alarms" in page


def test_without_an_alarm_they_say_so() -> None:
    assert "ALARMS\n" + "-" * 80 + "\nNone.\n" in render_monitoring_text(QUIET)
    assert "No alarm" in render_monitoring_page(QUIET, IMAGES, generated_at=NOW)
    assert summarise_monitoring(QUIET)[-1] == "Alarms:       none"


def test_a_week_shows_expected_and_realized_and_a_star_where_the_estimate_was_wrong() -> None:
    week = MONITORED.weeks[0]
    assert week.realized is not None
    (line,) = (line for line in render_monitoring_text(MONITORED).splitlines() if line.startswith("2024-06-03"))
    expected, realized = week.expected["base_rate"].value, week.realized.metrics["base_rate"]
    assert f"{expected:.3f}".removeprefix("0") + "→" + f"{realized:.3f}".removeprefix("0") + "*" in line


def test_before_a_week_is_mature_one_line_says_when_it_will_be() -> None:
    told = "No week is mature yet, so nothing is known of what became of the items: the first labels are known on"
    assert summarise_monitoring(UNRIPE) == [f"Monitored:    {told} 2024-07-03.", "Alarms:       none"]
    assert told in " ".join(render_monitoring_text(UNRIPE).split())
    assert told in render_monitoring_page(UNRIPE, IMAGES, generated_at=NOW)


def test_what_a_never_alerted_share_would_buy_is_told_in_items_and_weeks() -> None:
    effect = MONITORED.alert_effect
    assert effect is not None
    words = " ".join(render_monitoring_text(MONITORED).split())
    assert f"{effect.never_alerted_items:,} items would have to be left without an alert" in words
    assert f"alerts a week for {effect.weeks} weeks" in words


@pytest.mark.parametrize("metrics", [MONITORED, QUIET, UNRIPE, replace(MONITORED, weeks=MONITORED.weeks[:1])])
def test_the_plots_can_be_drawn_of_whatever_was_measured(metrics: MonitoringMetrics) -> None:
    for plot in (plot_monitored_weeks, plot_monitored_drift, plot_monitored_alerts):
        figure = plot(metrics)
        figure.draw_without_rendering()
        assert figure.get_suptitle()


def test_the_weeks_show_a_point_for_each_realized_value() -> None:
    axes, *_ = plot_monitored_weeks(MONITORED).axes
    points = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    assert points["Expected"] == 6
    assert points["Realized"] + points["Realized, outside of the interval"] == 5


def test_a_column_beyond_its_limit_has_another_color() -> None:
    (axes,) = plot_monitored_drift(MONITORED).axes
    assert len({bar.get_facecolor() for bar in axes.patches}) == 2


def test_the_page_writes_true_minuses_and_leaves_dates_alone() -> None:
    page = render_monitoring_page(MONITORED, IMAGES, generated_at=NOW)
    assert re.search(r"interval −0\.\d+ to −0\.\d+\)", page)
    assert "2024-06-10 to 2024-07-01" in page
