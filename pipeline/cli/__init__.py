"""The command `sla`: thin commands over the rooms beside this folder. Data goes to stdout, messages to stderr.

Nothing heavy is imported before the command that needs it runs, so that `sla --help` answers at once. The groups of commands
are imported in the order in which `sla --help` lists them.
"""

from pipeline.cli import workspace, figures, hours, documents, deliveries, proof, privacy  # isort: skip
from pipeline.cli.line import app, main

__all__ = ["app", "deliveries", "documents", "figures", "hours", "main", "privacy", "proof", "workspace"]
