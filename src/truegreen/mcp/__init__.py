"""The agent's face: the questions of an on-call agent as tools of the Model Context Protocol.

``service`` asks and does, and gives values; ``server`` puts them on the protocol. What is true is
decided below, never here. The protocol's package is called ``mcp`` too: imports are absolute.
"""
