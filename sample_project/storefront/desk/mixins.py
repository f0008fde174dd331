"""What the views of the desk have in common.

A mixin stands left of the view it adds to: Python looks from left to right, and one that stands right of `UpdateView`
is never asked whether somebody may come in.

https://docs.djangoproject.com/en/stable/topics/class-based-views/mixins/
"""

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _


class BooksellerMixin(PermissionRequiredMixin):
    """For staff with the permissions in `permission_required`. Others get a 403; who is not logged in, the login."""

    def has_permission(self):
        return self.request.user.is_staff and super().has_permission()


class RecordedMixin:
    """What was done is said on the next page, and kept in the history that the admin site shows of each object.

    Both, or nothing: where the record cannot be written, the change is undone. The page is in the language of whoever
    reads it, and the history, which everybody reads, in that of the shop.
    """

    action_flag = CHANGE

    def form_valid(self, form):
        with transaction.atomic():
            response = super().form_valid(form)
            self.record(self.object, form)
        messages.success(self.request, f"{self.object}: {self.get_record(form)}")
        return response

    def get_record(self, form):
        """The sentence about what was done."""
        if not form.changed_data:
            return _("Nothing changed.")
        return _("Changed: %(fields)s.") % {"fields": ", ".join(str(form[name].label) for name in form.changed_data)}

    def record(self, thing, form):
        with translation.override(settings.LANGUAGE_CODE):
            sentence = self.get_record(form)
            LogEntry.objects.log_actions(self.request.user.pk, [thing], self.action_flag, sentence, single_object=True)
