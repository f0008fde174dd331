"""What happens in the catalogue and others may want to know. Sent after the transaction has ended well.

https://docs.djangoproject.com/en/stable/topics/signals/#defining-signals
"""

from django.dispatch import Signal

# sender=Book, books=[primary keys]. For what changes many books in one statement, of which `post_save` says nothing.
prices_changed = Signal()
