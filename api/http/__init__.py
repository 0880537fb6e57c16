"""The JSON HTTP API: the store's Python API over the wire. `app.create_app` puts it together."""
