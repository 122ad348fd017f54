"""The contracts of the tables, as the catalog's validators.

An entry says ``validator: {class: waste_risk.adapters.contracts.Contract, options: {table: items}}``; the data are then
checked before they are written and after they are read, and data that break their contract are not written.
"""

from typing import TYPE_CHECKING

from kedro.validation.exceptions import DataValidationError

from waste_risk.errors import ContractError

if TYPE_CHECKING:
    import pandas as pd


class ContractBroken(DataValidationError):  # noqa: N818, it is what happened
    """A table of the catalog breaks its contract; the text is one line without any value of the table."""

    def __str__(self) -> str:
        """Name the broken rules and the dataset; Kedro's own text would add a line for each failing value."""
        return f"{self.message} [{self.mode} of {self.dataset_name}]"


class Contract:
    """Checks one table; Kedro creates one for each catalog entry that names it as its validator."""

    def __init__(self, table: str, any_features: bool = False) -> None:
        """Choose the table, one of ``waste_risk.tables.contracts.TABLES``.

        Args:
            table: its name.
            any_features: whether a model input may have other features than those of ``waste_risk.features``.

        Raises:
            ValueError: there is no such table.
        """
        from waste_risk.tables.contracts import TABLES  # noqa: PLC0415, pandera is for those who check a table

        if table not in TABLES:
            raise ValueError(f"there is no contract for {table}, only for {', '.join(TABLES)}")
        self._table = table
        self._any_features = any_features

    def validate(self, data: "pd.DataFrame") -> "pd.DataFrame":
        """Return the table in the types of its contract.

        Raises:
            ContractBroken: rules are broken; the message names them and shows no value.
        """
        from waste_risk.tables.contracts import check, check_model_input  # noqa: PLC0415

        broken = None
        try:
            return check_model_input(data) if self._any_features else check(self._table, data)
        except ContractError as error:
            broken = str(error)
        raise ContractBroken(broken)
