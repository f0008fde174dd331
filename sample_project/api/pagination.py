"""Lists in pieces. https://www.django-rest-framework.org/api-guide/pagination/"""

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, PageNumberPagination


class Pages(PageNumberPagination):
    """Numbered, with the number of all rows, which is counted each time: for lists that stay short."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


class CursorPages(CursorPagination):
    """Each page begins where the last one ended, not after so many rows: for lists that grow.

    The hundredth page costs as much as the first, and who turns pages meets no row twice when one is added. There is
    no number of rows and no way to page 7. The filter of the view gives the order: see `filters.Ordering`.
    """

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, queryset, request, view=None):
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, ValidationError) as error:
            # A cursor can be decoded, made up, or taken from a list in another order, and then its position is no
            # value of the column.
            raise NotFound(self.invalid_cursor_message) from error
