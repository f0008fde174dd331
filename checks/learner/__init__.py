"""What a learner answered and tried, and where they stand."""
