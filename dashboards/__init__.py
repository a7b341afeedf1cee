"""The managers' pages: they ask `pipeline.reporting`, format the answers and never divide."""
