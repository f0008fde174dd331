from django import forms

from catalog.models import Genre


class SearchForm(forms.Form):
    """What a visitor looks for. Every field may be empty."""

    q = forms.CharField(
        label="Title or author",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Title or author"}),
    )
    genre = forms.ModelChoiceField(
        Genre.objects.all(),
        required=False,
        to_field_name="slug",
        empty_label="All genres",
        error_messages={"invalid_choice": "The shop has no such genre. Choose one from the list."},
    )

    def search(self, books):
        """Narrow `books` to what was asked for; None when the form is not valid."""
        if not self.is_valid():
            return None
        if genre := self.cleaned_data["genre"]:
            books = books.filter(genres=genre)
        return books.matching(self.cleaned_data["q"])
