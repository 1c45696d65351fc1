"""From a commit to a verdict: source, target, find-or-create steps, and the record of the run."""
