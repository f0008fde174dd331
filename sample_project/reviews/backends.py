from django.contrib.auth.backends import BaseBackend

from .models import Review


class ReviewBackend(BaseBackend):
    """Answers for one review what Django's `ModelBackend` answers only for all of them.

    Customers may change and delete what they wrote themselves; booksellers, who may change reviews, every one. That is
    asked with the review: `user.has_perm("reviews.change_review", review)`. `ModelBackend` says no to every question
    about an object, also to those who may change them all, so this backend has to say yes for them. Nobody logs in
    with it.

    https://docs.djangoproject.com/en/stable/topics/auth/customizing/#handling-object-permissions
    """

    OWN = {"reviews.change_review", "reviews.delete_review", "reviews.view_review"}

    def has_perm(self, user_obj, perm, obj=None):
        if not self.answers(user_obj, perm, obj):
            return False
        # Without the review: a question for the other backends.
        return self.is_own(user_obj, perm, obj) or user_obj.has_perm(perm)

    async def ahas_perm(self, user_obj, perm, obj=None):
        if not self.answers(user_obj, perm, obj):
            return False
        return self.is_own(user_obj, perm, obj) or await user_obj.ahas_perm(perm)

    def answers(self, user, perm, obj):
        return isinstance(obj, Review) and perm.startswith("reviews.") and user.is_active

    def is_own(self, user, perm, review):
        # A review that nobody signed is nobody's, and so not that of a visitor, who has no key either.
        return perm in self.OWN and review.reviewer_id is not None and review.reviewer_id == user.pk
