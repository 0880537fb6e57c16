"""The example application: a site of used-car listings, and a console that watches the store."""
