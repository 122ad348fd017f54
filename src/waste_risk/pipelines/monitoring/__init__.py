"""Follow the champion after deployment: expected and realized performance, drift, alarms."""
