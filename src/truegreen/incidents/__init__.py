"""Incidents: reviews drafted from evidence, action items closed by proof, drills.

``record`` and ``drafting/`` make a draft from the ledger, ``document/`` reads and writes reviews,
``lint/`` judges them, ``actions/`` runs the proofs of follow-ups, ``drills/`` puts faults back.
"""
