"""The service with a Flask route beside it that does nothing: what gunicorn and Flask alone cost."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from lithium_script.app import create_app
from lithium_script.settings import Settings

noop = Flask("noop")


@noop.post("/")
def do_nothing() -> dict[str, bool]:
    """Take a body and answer that all is well."""
    request.get_data()
    return {"success": True}


app = create_app(Settings.from_env())
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/noop": noop})  # type: ignore[method-assign]
