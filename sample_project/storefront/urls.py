from django.urls import path

from . import views

app_name = "storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("books/<slug:slug>/", views.book, name="book"),
    path("authors/<slug:slug>/", views.author, name="author"),
    path("genres/<slug:slug>/", views.genre, name="genre"),
]
