"""How a result is told: one format a file. Nothing here reads the world or decides anything."""
