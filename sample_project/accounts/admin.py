from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Count

from .forms import AdminLoginForm
from .models import Campaign, Profile, User, Visit

# Whoever guesses passwords is slowed down here as well.
admin.site.login_form = AdminLoginForm


class ProfileFilter(admin.SimpleListFilter):
    """By a relation that may not be there."""

    title = "profile"
    parameter_name = "profile"

    def lookups(self, request, model_admin):
        return [("newsletter", "Wants the newsletter"), ("no", "Does not want it"), ("none", "Has none")]

    def queryset(self, request, queryset):
        conditions = {
            "newsletter": {"profile__newsletter": True},
            "no": {"profile__newsletter": False},
            "none": {"profile__isnull": True},
        }
        return queryset.filter(**conditions.get(self.value(), {}))


class ProfileInline(admin.StackedInline):
    model = Profile
    can_delete = False


@admin.register(User)
class CustomerAdmin(UserAdmin):
    """Whoever may change users and is no superuser may change customers: neither staff, nor anybody's rights.

    Otherwise that permission were every permission: they would make themselves superuser, or give one a new password.
    https://docs.djangoproject.com/en/stable/topics/auth/default/#creating-users
    """

    list_display = [*UserAdmin.list_display, "city", "newsletter", "date_joined"]
    list_select_related = ["profile"]
    list_filter = [*UserAdmin.list_filter, ProfileFilter]
    search_fields = [*UserAdmin.search_fields, "profile__city"]
    inlines = [ProfileInline]
    actions = ["deactivate"]
    RIGHTS = ["is_staff", "is_superuser", "groups", "user_permissions"]

    @admin.display(ordering="profile__city")
    def city(self, user):
        return user.profile.city if hasattr(user, "profile") else None

    @admin.display(boolean=True, ordering="profile__newsletter")
    def newsletter(self, user):
        return user.profile.newsletter if hasattr(user, "profile") else None

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else [*fields, *self.RIGHTS]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and self.is_theirs(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and self.is_theirs(request, obj)

    def is_theirs(self, request, user):
        return request.user.is_superuser or user is None or not (user.is_staff or user.is_superuser)

    @admin.action(description="Deactivate the selected accounts", permissions=["change"])
    def deactivate(self, request, users):
        """Close accounts without deleting them, for their orders stay. Their sessions end with the next page.

        An action gets rows that the user may not change one by one: nobody but this method looks at them.
        """
        with transaction.atomic():
            # The list's own query may have DISTINCT, and then cannot lock.
            chosen = User.objects.select_for_update().filter(pk__in=list(users.values_list("pk", flat=True)))
            closed = [user for user in chosen if self.has_change_permission(request, user) and user != request.user]
            User.objects.filter(pk__in=[user.pk for user in closed]).update(is_active=False)
            LogEntry.objects.log_actions(request.user.pk, closed, CHANGE, [{"changed": {"fields": ["Active"]}}])
        self.message_user(
            request, f"Deactivated: {len(closed)}. Left alone: {len(chosen) - len(closed)}.", messages.INFO
        )


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin):
    list_display = ["name", "sent_on", "visit_count"]
    search_fields = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(visit_count=Count("visits"))

    @admin.display(description="visits", ordering="visit_count")
    def visit_count(self, campaign):
        return campaign.visit_count


@admin.register(Visit)
class VisitAdmin(admin.ModelAdmin):
    """There are no permissions to add or change visits; a superuser has all there could be, so it is said here too."""

    list_display = ["at", "user", "campaign"]
    list_select_related = ["user", "campaign"]
    list_filter = ["campaign"]
    date_hierarchy = "at"

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
