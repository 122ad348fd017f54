"""Version sets in a real registry, without models in them, and a store that fails at a chosen write."""

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.entities import RunStatus
from sqlalchemy import create_engine

from waste_risk.adapters.registry import PARTS, LoggedModel, VersionSet, name_of, register_together

NAMES = tuple(name_of(part) for part in PARTS)


def finished_run(store: MlflowClient, *, status: str = "FINISHED") -> str:
    run_id = str(store.create_run("0").info.run_id)
    if status != RunStatus.to_string(RunStatus.RUNNING):
        store.set_terminated(run_id, status)
    return run_id


def models(run_id: str, source: str = "simulated", sha256: str = "abc") -> list[LoggedModel]:
    return [LoggedModel(name, f"runs:/{run_id}/nowhere", None, sha256, source) for name in NAMES]


def new_set(store: MlflowClient, source: str = "simulated", sha256: str = "abc") -> VersionSet:
    run_id = finished_run(store)
    return register_together(models(run_id, source, sha256), run_id, run_id)


def state(store: MlflowClient) -> dict[str, list[str]]:
    """For each registered model, the stage of each version, the first one first, followed by its aliases."""
    states = {}
    for name in NAMES:
        model = store.get_registered_model(name)
        found = sorted(store.search_model_versions(f"name = '{name}'"), key=lambda version: int(version.version))
        aliases = sorted(model.aliases.items())
        states[name] = [
            " ".join([each.current_stage, *(alias for alias, version in aliases if version == each.version)])
            for each in found
        ]
    return states


WRITES = {"model_versions": ("INSERT", "UPDATE"), "registered_model_aliases": ("INSERT", "UPDATE", "DELETE")}
MAKE = {
    "sqlite": "CREATE TRIGGER limit_{table}_{operation} BEFORE {operation} ON {table} BEGIN "
    "SELECT RAISE(ABORT, 'no more writes') WHERE (SELECT remaining FROM write_budget) <= 0; "
    "UPDATE write_budget SET remaining = remaining - 1; END",
    "postgresql": "CREATE TRIGGER limit_{table}_{operation} BEFORE {operation} ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION limit_writes()",
}
DROP = {
    "sqlite": "DROP TRIGGER limit_{table}_{operation}",
    "postgresql": "DROP TRIGGER limit_{table}_{operation} ON {table}",
}
FUNCTION = """CREATE OR REPLACE FUNCTION limit_writes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE write_budget SET remaining = remaining - 1;
    IF (SELECT remaining FROM write_budget) < 0 THEN RAISE EXCEPTION 'no more writes'; END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$"""


@contextmanager
def failing_after(address: str, n_writes: int) -> Iterator[None]:
    """Let a store refuse every write of versions and aliases after the first ones, as if it had gone away."""
    engine = create_engine(address)
    kind = engine.dialect.name
    places = [{"table": table, "operation": each} for table, operations in WRITES.items() for each in operations]
    function = [FUNCTION] if kind == "postgresql" else []
    budget = ["CREATE TABLE write_budget (remaining INTEGER)", f"INSERT INTO write_budget VALUES ({n_writes})"]
    with engine.begin() as connection:
        for statement in [*budget, *function, *(MAKE[kind].format(**place) for place in places)]:
            connection.exec_driver_sql(statement)
    try:
        yield
    finally:
        with engine.begin() as connection:
            for statement in [*(DROP[kind].format(**place) for place in places), "DROP TABLE write_budget"]:
                connection.exec_driver_sql(statement)
        engine.dispose()
