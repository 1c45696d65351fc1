"""The embedded platform: Heroku's API, builds, releases, dynos, router and edge on one machine.

`locate` is its face for the rest of the house: where a platform is, start it, stop it. What runs
inside the daemon is `server`'s to put together.
"""
