"""What payers cover: plans, where they are sold, and which brands they pay for."""
