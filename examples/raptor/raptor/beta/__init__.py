"""The beta program: each part is a module with its own flag, and is absent while that is off."""
