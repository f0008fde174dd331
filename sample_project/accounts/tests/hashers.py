from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """For tests only: what makes a hash safe is the time it takes."""

    algorithm = "quick"
    iterations = 1
