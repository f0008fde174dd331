"""What every page of the shop knows without its view having said so.

https://docs.djangoproject.com/en/stable/ref/templates/api/#writing-your-own-context-processors
"""

from django.utils.functional import SimpleLazyObject

from .cart import Cart

SHOP_NAME = "The Bookshop"


def shop(request):
    """`shop_name`, and `cart_count`: how many copies are in the cart.

    The count is taken when a template asks for it, and comes from the session alone: a page without it does not read
    the session, a visitor without a session does not get one, and the books are not looked up.
    """
    return {"shop_name": SHOP_NAME, "cart_count": SimpleLazyObject(lambda: copies_in_cart(request))}


def copies_in_cart(request):
    # A request that was refused early, or made in a test, has no session.
    session = getattr(request, "session", None)
    return 0 if session is None else len(Cart(session))
