from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.admin import GenericTabularInline
from django.db.models import Count

from catalog.models import Author, Book

from .models import Review, Tag, Tagging, TagGroup


class WithdrawnFilter(admin.SimpleListFilter):
    """Live reviews, unless somebody asks for the others."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("withdrawn", "Withdrawn"), ("all", "All")]

    def choices(self, changelist):
        live, *others = super().choices(changelist)
        yield live | {"display": "Live"}
        yield from others

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        return queryset.withdrawn() if self.value() == "withdrawn" else queryset.live()


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    """Deleting here withdraws, one review or many, like everywhere else."""

    list_display = ["about", "reviewer", "stars", "text", "created", "withdrawn"]
    list_select_related = ["reviewer"]
    list_filter = [WithdrawnFilter, "stars", ("content_type", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["text", "reviewer__username"]
    date_hierarchy = "created"
    fields = ["content_type", "object_id", "reviewer", "stars", "text"]
    autocomplete_fields = ["reviewer"]
    actions = ["restore"]

    def get_queryset(self, request):
        # A generic relation cannot be joined: one query per kind of thing.
        return self.model.everything.prefetch_related("thing").order_by("-created", "-pk")

    @admin.display(description="about")
    def about(self, review):
        return review.thing

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        # A review moves neither to another book nor to another reviewer.
        return fields if obj is None else [*fields, "content_type", "object_id", "reviewer"]

    def has_change_permission(self, request, obj=None):
        """With a review, `ReviewBackend` is asked: staff who wrote it themselves may change it without more."""
        if obj is None:
            return super().has_change_permission(request)
        return request.user.has_perm("reviews.change_review", obj)

    def has_restore_permission(self, request):
        return request.user.has_perm("reviews.restore_review")

    @admin.action(description="Bring back the selected reviews", permissions=["restore"])
    def restore(self, request, reviews):
        restored, skipped = [], 0
        for review in reviews.withdrawn().order_by("pk"):
            # Whoever has written another review since keeps that one.
            if review.may_be_restored():
                review.restore()
                restored.append(review)
            else:
                skipped += 1
        LogEntry.objects.log_actions(request.user.pk, restored, CHANGE, "Brought back.")
        text = f"Brought back: {len(restored)}. Left withdrawn, as there is a newer one: {skipped}."
        self.message_user(request, text)


class TagInline(admin.TabularInline):
    model = Tag
    extra = 0


class ByTagPermissions:
    """Whoever may change a tag may say what it is on: taggings have no permissions of their own."""

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("reviews.view_tag") or self.has_delete_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return request.user.has_perm("reviews.change_tag")

    def has_add_permission(self, request, obj=None):
        return self.has_delete_permission(request, obj)

    def has_change_permission(self, request, obj=None):
        return self.has_delete_permission(request, obj)


class TaggingInline(ByTagPermissions, admin.TabularInline):
    """What a tag is on. Taggings are added where the thing is."""

    model = Tagging
    fields = ["thing"]
    readonly_fields = ["thing"]
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("tag").prefetch_related("thing")

    def has_add_permission(self, request, obj=None):
        return False


class ThingTaggingInline(ByTagPermissions, GenericTabularInline):
    """The tags of a book or an author, on its own page.

    They are added and removed: a field to change each would ask the database for its choices each time.
    https://docs.djangoproject.com/en/stable/ref/contrib/contenttypes/#generic-relations-in-admin
    """

    model = Tagging
    autocomplete_fields = ["tag"]
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("tag")

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ["name", "group", "uses"]
    list_select_related = ["group"]
    list_filter = ["group"]
    search_fields = ["name"]
    ordering = ["name"]
    inlines = [TaggingInline]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(uses=Count("taggings"))

    @admin.display(ordering="uses")
    def uses(self, tag):
        return tag.uses


@admin.register(TagGroup)
class TagGroupAdmin(admin.ModelAdmin):
    list_display = ["name", "tag_count"]
    inlines = [TagInline]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(tag_count=Count("tags"))

    @admin.display(description="tags", ordering="tag_count")
    def tag_count(self, group):
        return group.tag_count

    def has_delete_permission(self, request, obj=None):
        # Tags of a group that goes fall into this one.
        return super().has_delete_permission(request, obj) and (obj is None or obj.pk != TagGroup.OTHER)


# The catalogue knows nothing of tags, so its pages get their inline from here, whichever class they are of.
for model in (Author, Book):
    page = admin.site.get_model_admin(model)
    page.inlines = [*page.inlines, ThingTaggingInline]
