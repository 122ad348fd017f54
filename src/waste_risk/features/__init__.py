"""What a household could know about an open item just before it is observed.

To add a feature, return it from the function of its group and add its meaning to the decorator above that function.
"""

from waste_risk.features.build import FEATURE_NAMES, FEATURES, build_features
from waste_risk.features.definition import Feature

__all__ = ["FEATURES", "FEATURE_NAMES", "Feature", "build_features"]
