"""Records of a validation as it might have come out, for the tests of its reports."""

from dataclasses import replace

from waste_risk.metrics import (
    AdversarialValidation,
    Baseline,
    CheapestThreshold,
    Estimate,
    Fairness,
    Group,
    GroupMetrics,
    LeadTime,
    NullDistribution,
    PurestFeature,
    ScoreMetrics,
    TradeOff,
    ValidationMetrics,
    WeeklyAlerts,
)
from waste_risk.parameters import Gates
from waste_risk.reporting.text import SourceSummary

LIMITS = Gates(
    min_auc=0.85,
    min_precision_at_high_confidence=0.80,
    max_ece=0.10,
    max_cv_std=0.05,
    high_confidence=0.7,
    max_calibration_in_the_large=None,
    calibration_in_the_large_tolerance=0.01,
    min_gain_over_baselines=None,
    min_calibration_slope=None,
    max_calibration_slope=None,
    not_above_oracle=False,
    min_alerts=None,
    min_rows=None,
    min_wasted=None,
    both_classes=False,
    max_feature_precision=None,
    max_group_calibration_gap=None,
    judged_by="estimate",
    on_failure="report",
)
ALL_LIMITS = LIMITS.model_copy(
    update={
        "max_calibration_in_the_large": 0.03,
        "min_gain_over_baselines": 0.0,
        "min_calibration_slope": 0.8,
        "max_calibration_slope": 1.2,
        "not_above_oracle": True,
        "max_feature_precision": 0.9,
        "min_alerts": 100,
        "both_classes": True,
        "max_group_calibration_gap": 0.05,
        "min_rows": 1_000,
        "min_wasted": 100,
    }
)
MEASURED = ValidationMetrics(
    auc=Estimate(0.8723, 0.8651, 0.8790),
    average_precision=Estimate(0.7891),
    brier_score=Estimate(0.1234),
    log_loss=Estimate(0.3456),
    expected_calibration_error=Estimate(0.0567),
    calibration_slope=Estimate(0.9832),
    calibration_intercept=Estimate(0.0123),
    hosmer_lemeshow_p_value=Estimate(0.4567),
    precision=Estimate(0.8234),
    recall=Estimate(0.7654),
    f1=Estimate(0.7932),
    precision_at_high_confidence=Estimate(0.8456),
    recall_at_high_confidence=Estimate(0.7123),
    base_rate=Estimate(0.3012),
    mean_probability=Estimate(0.2987),
    n_rows=12_345,
    n_households=987,
    n_wasted=3_718,
    n_alerts=1_750,
    threshold=0.6234,
    high_confidence=0.7,
    horizon_days=30,
    predictor_sha256=None,
    days_mae=Estimate(4.321),
    days_rmse=Estimate(5.678),
    label_days_mae=Estimate(7.5),
    days_mae_where_label=Estimate(4.111),
    oracle_auc=Estimate(0.9312),
    attainable_share=Estimate(0.8633),
    cv_mean_auc=0.87,
    cv_std_auc=0.01,
)
SOURCE = SourceSummary(n_items=100_000, item_waste_ratio=0.2449, n_observations=61_725, observation_waste_ratio=0.3025)

RULE = Baseline(Estimate(0.7012), Estimate(0.5), Estimate(0.2), Estimate(0.1711, 0.1612, 0.1813))
INSIDE = GroupMetrics(
    auc=Estimate(0.8812),
    expected_calibration_error=Estimate(0.02),
    calibration_gap=Estimate(-0.0123),
    base_rate=Estimate(0.3012),
    alert_rate=Estimate(0.2),
    recall=Estimate(0.6),
    false_positive_rate=Estimate(0.1),
)
GROUPS = (Group("1", 9_000, 700, 2_500, INSIDE), Group("5+", 12, 3, 4, None))
MORE = replace(
    MEASURED,
    baselines={"category_rate": RULE},
    fairness={"size_group": Fairness(GROUPS, Estimate(0.1), Estimate(0.05), None, Estimate(0.0123))},
    by_month=(Group("2025-03", 6_000, 800, 1_800, INSIDE), Group("2025-04", 15, 4, 3, None)),
    by_known_household=(Group("new", 500, 40, 150, INSIDE),),
    adversarial_validation=AdversarialValidation(
        Estimate(0.6712, 0.6533, 0.6891), ("waste_rate_90d", "category_first_gap_in_life", "waste_to_usual")
    ),
    weekly_alerts=WeeklyAlerts(3, 5_557, Estimate(0.7032), Estimate(0.6441)),
    lead_time=LeadTime(2_620, Estimate(5.97), Estimate(4.46)),
    cost=CheapestThreshold(0.347, *[Estimate(0.6)] * 2, Estimate(0.2773), Estimate(0.2880), Estimate(0.6824)),
)

# All that a validation can hold.
FULL = replace(
    MORE,
    confidence=0.95,
    predictor_sha256="0123456789abcdef" * 4,
    calibration_in_the_large=Estimate(-0.0025, -0.0091, 0.0042),
    newest_calibration_in_the_large=Estimate(-0.0071, -0.0202, 0.0063),
    equal_width_calibration_error=Estimate(0.05),
    debiased_calibration_error=Estimate(0.04),
    calibration_error_under_null=NullDistribution(0.021, 0.0601, 0.2),
    brier_reliability=Estimate(0.001),
    brier_resolution=Estimate(0.09),
    brier_uncertainty=Estimate(0.22),
    precision_at_k=Estimate(0.787, 0.72, 0.84),
    recall_at_k=Estimate(0.534),
    top_k=500,
    purest_feature=PurestFeature("life_used", Estimate(0.8512, 0.7903, 0.9001), 143),
    raw=ScoreMetrics(*[Estimate(0.5)] * 7),
    trade_off=(
        TradeOff(0.1, 4_321, Estimate(0.49), Estimate(0.97)),
        TradeOff(0.9, 103, Estimate(0.96), Estimate(0.13)),
    ),
    folds=({"fold": 1.0, "n_train": 1_687.0, "auc": 0.86}, {"fold": 2.0, "n_train": 2_622.0, "auc": 0.88}),
    fold_means={"n_train": 2_154.5, "auc": 0.87},
    fold_stds={"n_train": 661.1, "auc": 0.0141},
)
