from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count

from .models import Campaign, Profile, User, Visit


class ProfileInline(admin.StackedInline):
    model = Profile
    can_delete = False


@admin.register(User)
class CustomerAdmin(UserAdmin):
    list_display = [*UserAdmin.list_display, "city", "date_joined"]
    list_select_related = ["profile"]
    search_fields = [*UserAdmin.search_fields, "profile__city"]
    inlines = [ProfileInline]

    @admin.display(ordering="profile__city")
    def city(self, user):
        return user.profile.city if hasattr(user, "profile") else None


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
