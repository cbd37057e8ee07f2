"""Cases: the transfer, its parties, the people who take part and in which role, holds and overrides."""
