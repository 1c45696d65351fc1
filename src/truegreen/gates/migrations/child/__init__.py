"""What executes a service's revisions and env.py: in processes of their own, never in the gate's.

Each gets pins and a scratch database, and none of the operator's secrets.
"""
