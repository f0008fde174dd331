from django.urls import path

from . import downloads, feeds, listings, purchases, redirects, reviewing, views
from .catalogue import catalogue
from .genres import genres
from .search import search

app_name = "storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("search/", search, name="search"),
    path("catalogue/", catalogue, name="catalogue"),
    path("catalogue/jinja2/", catalogue, {"engine": "jinja2"}, name="catalogue-jinja2"),
    path("books/<slug:slug>/", views.book, name="book"),
    path("authors/<slug:slug>/", views.author, name="author"),
    path("genres/", genres, name="genres"),
    path("genres/<slug:slug>/", views.genre, name="genre"),
    # The same pages as classes.
    path("authors/<slug:slug>/books/", listings.AuthorView.as_view(), name="author-books"),
    path("genres/<slug:slug>/books/", listings.GenreView.as_view(), name="genre-books"),
    # Other ways to cut a list into pages.
    path("books/", listings.books, name="books"),
    path("arrivals/", listings.arrivals, name="arrivals"),
    # For programs.
    path("feed/", feeds.newest, name="feed"),
    path("genres/<slug:slug>/feed/", feeds.of_genre, name="genre-feed"),
    path("books/<slug:slug>/excerpt/", downloads.excerpt, name="excerpt"),
    path("books/<slug:slug>/reviews/", reviewing.ReviewListView.as_view(), name="reviews"),
    path("books/<slug:slug>/reviews/new/", reviewing.ReviewCreateView.as_view(), name="review-create"),
    path("reviews/<int:pk>/", reviewing.ReviewUpdateView.as_view(), name="review-update"),
    path("reviews/<int:pk>/withdraw/", reviewing.ReviewDeleteView.as_view(), name="review-delete"),
    path("cart/", purchases.cart, name="cart"),
    path("cart/add/<slug:slug>/", purchases.add_to_cart, name="cart-add"),
    path("cart/add-bestseller/", redirects.add_bestseller, name="cart-add-bestseller"),
    path("checkout/", purchases.checkout, name="checkout"),
    path("orders/", purchases.OrderListView.as_view(), name="orders"),
    path("orders/<slug:number>/", purchases.OrderView.as_view(), name="order"),
    path("bestseller/", redirects.bestseller, name="bestseller"),
    # Addresses of old.
    path("book/<int:pk>/", redirects.old_book, name="old-book"),
    path("basket/", redirects.old_cart, name="old-cart"),
    path("basket/add/<slug:slug>/", redirects.old_cart, name="old-cart-add"),
]
