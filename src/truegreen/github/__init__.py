"""GitHub's REST API, as far as release assurance reads it. No decisions here."""

from truegreen.github.actions import Actions, Job, WorkflowRun

__all__ = ["Actions", "Job", "WorkflowRun"]
