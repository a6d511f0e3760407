"""The JSON that clients send and get, as pydantic models: validation here, OpenAPI generated from
here. Only `requests` is loaded by a function, when a request has something to validate.
"""
