"""Other people's records as the tables of the contract."""
