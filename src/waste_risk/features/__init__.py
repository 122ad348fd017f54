"""What a household could know about an open item just before it looks at it."""

from waste_risk.features.build import build_features
from waste_risk.features.catalogue import FEATURE_NAMES, FEATURES, Feature

__all__ = ["FEATURES", "FEATURE_NAMES", "Feature", "build_features"]
