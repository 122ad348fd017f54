"""Promote, and be killed just before the nth write: `python promote_and_die.py <store> <sha256> <champion> <n>`."""

import os
import signal
import sys
from typing import Any

import mlflow
from mlflow import MlflowClient

from waste_risk.adapters.promotion_log import carry_out
from waste_risk.promotion import PromotionDecision

store, sha256, champion, last = sys.argv[1:]
remaining = int(last)


def counted(name: str) -> Any:
    write = getattr(MlflowClient, name)

    def call(*arguments: Any, **options: Any) -> Any:
        global remaining  # noqa: PLW0603
        if remaining == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        remaining -= 1
        return write(*arguments, **options)

    return call


mlflow.set_tracking_uri(store)
with mlflow.start_run():
    for method in (
        *("create_model_version", "transition_model_version_stage"),
        *("set_registered_model_alias", "delete_registered_model_alias"),
    ):
        setattr(MlflowClient, method, counted(method))
    carry_out(
        PromotionDecision("promote", ("It is better.",), sha256, champion or None, becomes_reference=True), "simulated"
    )
