"""What must hold in the course, one module per part of it. Each guard takes a Course and yields findings."""
