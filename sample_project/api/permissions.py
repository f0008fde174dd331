"""Who may do what. Only `get_object()` asks for permissions per object: lists have to filter their rows themselves.

https://www.django-rest-framework.org/api-guide/permissions/#object-level-permissions
"""

from rest_framework.permissions import SAFE_METHODS, BasePermission


class IsCustomer(BasePermission):
    """The order is one's own."""

    def has_object_permission(self, request, view, order):
        return order.customer_id == request.user.pk


def may_see_orders(user):
    """Everybody's orders, with names and notes: to work in the shop is not enough, as in the admin site."""
    return user.is_staff and user.has_perm("orders.view_order")


class MaySeeOrders(BasePermission):
    def has_permission(self, request, view):
        return may_see_orders(request.user)


class MayCancelOrders(BasePermission):
    """Anybody's order: a permission that `Order.Meta` adds, and that booksellers are given."""

    def has_permission(self, request, view):
        return request.user.has_perm("orders.cancel_order")


class IsReviewerOrReadOnly(BasePermission):
    """Everybody reads a review; who wrote it changes it."""

    message = "This review is somebody else's."

    def has_object_permission(self, request, view, review):
        return request.method in SAFE_METHODS or review.reviewer_id == request.user.pk
