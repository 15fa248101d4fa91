"""HTTP: the application, errors as answers, request ids, health, the page of the API."""
