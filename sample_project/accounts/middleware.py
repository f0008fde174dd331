from django.contrib.auth.middleware import LoginRequiredMiddleware


class DeskLoginRequiredMiddleware(LoginRequiredMiddleware):
    """Asks for a login on every page of the desk, present and future; the shop itself is open to everybody.

    What is a page of the desk is read from the namespace of its URL. A view of the desk that is meant for everybody
    says so with `@login_not_required`. The user is not looked at elsewhere: pages of the shop ask the session nothing.

    https://docs.djangoproject.com/en/stable/ref/middleware/#django.contrib.auth.middleware.LoginRequiredMiddleware
    """

    namespace = "desk"

    def process_view(self, request, view_func, view_args, view_kwargs):
        if self.namespace not in request.resolver_match.namespaces:
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
