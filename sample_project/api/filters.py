"""Which rows, in which order. https://www.django-rest-framework.org/api-guide/filtering/"""

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend, OrderingFilter, SearchFilter

from catalog.models import Genre


class Query(serializers.Serializer):
    """What may be asked of the books in the query string: a serializer validates that as well as a body."""

    genre = serializers.SlugRelatedField(
        slug_field="slug", queryset=Genre.objects.all(), required=False, help_text="The slug of a genre."
    )
    author = serializers.SlugField(required=False, help_text="The slug of an author.")
    min_price = serializers.DecimalField(max_digits=6, decimal_places=2, required=False)
    max_price = serializers.DecimalField(max_digits=6, decimal_places=2, required=False)
    in_print = serializers.BooleanField(required=False, allow_null=True, default=None)

    def validate(self, attrs):
        low, high = attrs.get("min_price"), attrs.get("max_price")
        if low is not None and high is not None and low > high:
            raise serializers.ValidationError({"min_price": "This is more than max_price."})
        return attrs


class BookFilter(BaseFilterBackend):
    """`?genre=satire&min_price=5&max_price=9.50&in_print=true`; nonsense is answered with 400, not with every book."""

    def filter_queryset(self, request, queryset, view):
        query = Query(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        lookups = {
            "genres": asked.get("genre"),
            "author__slug": asked.get("author"),
            "price__gte": asked.get("min_price"),
            "price__lte": asked.get("max_price"),
            "in_print": asked.get("in_print"),
        }
        return queryset.filter(**{lookup: value for lookup, value in lookups.items() if value is not None})

    def get_schema_operation_parameters(self, view):
        """What the schema says about the query string."""
        kinds = {
            "genre": {"type": "string"},
            "author": {"type": "string"},
            "min_price": {"type": "number"},
            "max_price": {"type": "number"},
            "in_print": {"type": "boolean"},
        }
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": Query().fields[name].help_text or "",
                "schema": kind,
            }
            for name, kind in kinds.items()
        ]


class BookSearch(SearchFilter):
    """`?search=emile` finds Émile, as on the shop's pages."""

    def filter_queryset(self, request, queryset, view):
        return queryset.matching(" ".join(self.get_search_terms(request)))


class Ordering(OrderingFilter):
    """`?ordering=-price`, by the `ordering_fields` of the view and by nothing else.

    A white list for two reasons. Ordering by what a serializer hides reveals it, row by row. And a cursor cannot
    stand on NULL: it compares with what the last row has.
    """

    def get_ordering(self, request, queryset, view):
        # The primary key last: rows that are equal otherwise keep their places from one page to the next.
        return [*super().get_ordering(request, queryset, view), "pk"]

    def remove_invalid_fields(self, queryset, fields, view, request):
        """The framework leaves out what it does not know, and a typing error passes for an answer. Here it is 400."""
        valid = super().remove_invalid_fields(queryset, fields, view, request)
        if unknown := [field for field in fields if field not in valid]:
            allowed = ", ".join(view.ordering_fields)
            message = f"There is no ordering by {unknown[0]!r}. Choose from: {allowed}; with a minus, downwards."
            raise ValidationError({self.ordering_param: [message]})
        return valid
