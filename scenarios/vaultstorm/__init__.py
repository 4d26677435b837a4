"""The lab: the command line, scenarios, verdicts and reports."""
