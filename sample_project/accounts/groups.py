"""What the people who work in the shop may do.

The groups are made after every `migrate` and every `flush`, not by a data migration: permissions are rows that Django
adds after the last migration, so a migration finds none of them in a new database; and it runs once, so a flush would
leave the shop without groups. Each app's permissions are granted after Django has made those of that app.

What is written here is granted again with the next `migrate`; what was granted by hand besides stays.

https://docs.djangoproject.com/en/stable/ref/signals/#post-migrate
"""

from django.apps import apps as installed_apps

BOOKSELLERS, MANAGERS = "Booksellers", "Managers"

# By app, because each app is dealt with by itself. `accounts` imports none of them: these are names.
GRANTS = {
    BOOKSELLERS: {
        "accounts": "view_user view_profile",
        "catalog": "add_author change_author view_author add_book change_book view_book view_audiobook view_classic "
        "view_genre add_publisher change_publisher view_publisher view_contributor add_contributor view_contribution "
        "add_contribution delete_contribution",
        "orders": "change_order view_order view_orderline view_openorder change_openorder add_invoice view_invoice "
        "add_payment view_payment view_stock change_stock view_booksales",
        "reviews": "view_review change_review view_tag add_tag change_tag view_taggroup",
    },
}
GRANTS[MANAGERS] = {
    "accounts": GRANTS[BOOKSELLERS]["accounts"] + " change_user change_profile view_campaign add_campaign "
    "change_campaign view_visit",
    "catalog": GRANTS[BOOKSELLERS]["catalog"] + " change_price delete_author delete_book delete_publisher add_genre "
    "change_genre change_contributor",
    "orders": GRANTS[BOOKSELLERS]["orders"] + " add_order delete_order cancel_order add_orderline change_invoice "
    "delete_invoice change_payment add_stock",
    "reviews": GRANTS[BOOKSELLERS]["reviews"] + " delete_review restore_review delete_tag add_taggroup "
    "change_taggroup delete_taggroup",
}


def keep_groups(sender, using, apps=installed_apps, **kwargs):
    """Receiver of `post_migrate`: create the groups, and grant them what is said of the app just migrated."""
    if not any(sender.label in grants for grants in GRANTS.values()):
        return
    try:
        Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        # Migrated to a time before there were groups.
        return
    for name, grants in GRANTS.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        codenames = grants[sender.label].split()
        group.permissions.add(
            *Permission.objects.using(using).filter(content_type__app_label=sender.label, codename__in=codenames)
        )
