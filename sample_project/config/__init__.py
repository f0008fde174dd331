"""The project: settings, URLs, and what runs it.

Celery's guide imports the application here, into every process that uses Django. That takes a third of a second, so
`orders/tasks.py` imports it instead: whoever has a task has the application that it belongs to.
"""
