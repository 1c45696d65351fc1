"""GitHub's REST API, as far as release assurance reads it. No decisions here."""

from truegreen.github.actions import Actions, Job, WorkflowRun
from truegreen.github.connection import Connection

__all__ = ["Actions", "Connection", "Job", "WorkflowRun"]
