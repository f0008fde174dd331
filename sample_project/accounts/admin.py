from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from .models import Profile, User


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
