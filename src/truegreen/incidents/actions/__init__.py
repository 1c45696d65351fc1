"""Follow-ups that are closed by proof.

``proof`` says what a proof runs and which digest it has, ``supervise`` is the process around it,
``run`` runs one in a copy of a commit (``checkout``), ``trusted`` reads reviews and proofs from a
revision, ``prove`` sees a proof red at the incident's state and green at the candidate, ``frozen``
and ``judge`` decide, ``change`` writes what was decided, ``gate`` is the gate ``actions``.
"""

NAME = "actions"  # of the gate
