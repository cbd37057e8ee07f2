"""Compliance: on which legal basis each record set moves, who was told, who agreed, and who must give copies back."""
