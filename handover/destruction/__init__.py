"""Destruction: which copies must go, who decides, how their keys die, and how anybody can see that they are dead."""
