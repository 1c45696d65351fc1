"""Tells people and programs that a verdict has changed. Never changes a verdict or an exit code.

``message`` says what is told (pure), ``signature`` how a receiver knows that it is ours (pure),
``outbox`` keeps what was not delivered, ``deliver`` sends, ``changes`` decides whether to.
"""
