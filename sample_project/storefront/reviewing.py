"""Reviews of a book: everybody reads them, customers write, change and withdraw their own.

https://docs.djangoproject.com/en/stable/topics/class-based-views/generic-editing/
"""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import CreateView, DeleteView, ListView, UpdateView

from catalog.models import Book
from reviews.models import Review

from .forms import ReviewForm

REVIEWS_PER_PAGE = 10


class BookMixin:
    """The book that the address names, as `self.book` and for the template."""

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.book = get_object_or_404(Book.objects.select_related("author"), slug=kwargs["slug"])

    def get_context_data(self, **kwargs):
        return super().get_context_data(book=self.book, **kwargs)


class ReviewListView(BookMixin, ListView):
    template_name = "storefront/reviews.html"
    context_object_name = "reviews"
    paginate_by = REVIEWS_PER_PAGE

    def get_queryset(self):
        return Review.objects.about(self.book).select_related("reviewer").newest()


class ReviewFormMixin:
    """The form of a review, and the way back to the book's reviews.

    The form asks whether there is such a review already. Between the question and the row, the customer may have
    pressed the button in another tab: then the database refuses, and that is the form's error, too.
    """

    model = Review
    form_class = ReviewForm
    template_name = "storefront/review_form.html"

    def form_valid(self, form):
        try:
            with transaction.atomic():
                return super().form_valid(form)
        except IntegrityError:
            form.add_error(None, _("You have reviewed this already. Withdraw that review first."))
            return self.form_invalid(form)

    def get_success_url(self):
        return reverse("storefront:reviews", args=[self.book.slug])


class ReviewCreateView(LoginRequiredMixin, BookMixin, ReviewFormMixin, SuccessMessageMixin, CreateView):
    success_message = _("Thank you for your review.")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"instance": Review(thing=self.book, reviewer=self.request.user)}


class OwnReviewMixin(LoginRequiredMixin):
    """The live reviews of books by whoever asks; any other is not found."""

    def get_queryset(self):
        return Review.objects.about_any(Book).filter(reviewer=self.request.user)

    def get_object(self, queryset=None):
        review = super().get_object(queryset)
        self.book = review.thing
        return review

    def get_context_data(self, **kwargs):
        return super().get_context_data(book=self.book, **kwargs)


class ReviewUpdateView(OwnReviewMixin, ReviewFormMixin, SuccessMessageMixin, UpdateView):
    success_message = _("Your review has been changed.")


class ReviewDeleteView(OwnReviewMixin, DeleteView):
    """Withdraws: `Review.delete()` keeps the row. To the customer it is gone, and they may write another."""

    template_name = "storefront/review_withdraw.html"

    def form_valid(self, form):
        messages.success(self.request, _("Your review has been withdrawn."))
        return super().form_valid(form)

    def get_success_url(self):
        return reverse("storefront:reviews", args=[self.book.slug])
