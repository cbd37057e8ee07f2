"""Recipients: who will open packages, which key is theirs, and how two people from two sides made sure of it."""
