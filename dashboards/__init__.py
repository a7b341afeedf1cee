"""The managers' pages: they ask `pipeline.reporting.queries`, format the answers and never divide."""
