"""The OpenAPI document of a running server at $URL with $TOKEN: both its forms say the same, an independent validator accepts it,
and a client that checks its filters against it works. Prints how many operations there are."""

import os

import openapi_spec_validator
import pynetbox
import requests
import yaml

URL, TOKEN = os.environ["URL"], os.environ["TOKEN"]


def get(path, accept):
    answer = requests.get(URL + path, headers={"Accept": accept}, timeout=60)
    answer.raise_for_status()
    return answer


document = get("/api/schema/", "application/json").json()
assert yaml.safe_load(get("/api/schema/", "*/*").text) == document, "YAML and JSON differ"
openapi_spec_validator.validate(document)

operations = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
assert len(operations) == len(set(operations)), "an id is there twice"

# The library finds the document at its former place and refuses filters that are not in it.
nb = pynetbox.api(URL, token=TOKEN, strict_filters=True)
assert list(nb.extras.tags.filter(name__ic="nobody", slug=["x", "y"])) == []
try:
    nb.extras.tags.filter(nosuch=1)
except pynetbox.core.query.ParameterValidationError:
    pass
else:
    raise AssertionError("a filter that is none was taken")

print(len(operations))
