"""The OpenAPI document of what is served, made from the routes themselves."""
