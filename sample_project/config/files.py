"""Static files in production: WhiteNoise, as an asynchronous server wants it.

https://whitenoise.readthedocs.io/en/stable/django.html
"""

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Pages pass without changing threads under ASGI, and files are read whole there.

    WhiteNoise's own middleware is synchronous. Under ASGI each page would pass it in a thread, and a file would be a
    synchronous stream, which Django reads whole as well, with a warning.

    Under WSGI nothing differs. The files are those that were there at the start: this is not for development.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        super().__init__(get_response)
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        return self._answer(request) if self.is_async else super().__call__(request)

    async def _answer(self, request):
        static_file = self.files.get(request.path_info)
        if static_file is None:
            return await self.get_response(request)
        return await sync_to_async(self._whole)(static_file, request)

    def _whole(self, static_file, request):
        streamed = self.serve(static_file, request)
        try:
            return HttpResponse(streamed.getvalue(), status=streamed.status_code, headers=streamed.headers)
        finally:
            # The file, where there is one, and not the response: that would announce that the request is over.
            if streamed.file_to_stream:
                streamed.file_to_stream.close()
