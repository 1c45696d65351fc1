"""The draft of a review from what was recorded: ``episode`` reads the records around a red run,
``clocks`` says how far their observers' clocks may be apart, ``facts``, ``timeline`` and ``report``
make the sentences, each with its evidence (``refs``), ``draft`` puts them into a document.
``after_red`` is what a ship calls.

A draft says only what evidence says. Everything else is a question for a person.
"""

from truegreen.incidents.drafting.draft import draft, incident_id
from truegreen.incidents.drafting.episode import Episode, Recorded, read_episode

__all__ = ["Episode", "Recorded", "draft", "incident_id", "read_episode"]
