"""The drawn tree of errors is the tree: the same names, the same parents, one code each."""

import ast
import re
from dataclasses import dataclass

import pytest

from shared import errors
from shared.errors import AppError, InsufficientTokens, VendorError
from shared.failures import FailureCode
from tests.architecture.tree import modules

# What every status means to a client (`architecture.md` section 7), and the family it belongs to.
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "payment_required",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "server_error",
}
NAME = re.compile(r"\b[A-Z][A-Za-z]+[a-z]\b")
STATUS = re.compile(r"\b[45]\d\d\b")


@dataclass(frozen=True, slots=True)
class Drawn:
    """The two trees as the docstring draws them: every name, with its status."""

    app: dict[str, int]
    vendor: set[str]


def _read_drawing() -> Drawn:
    _, upper, lower = re.split(r"\n(?=AppError|VendorError)", str(errors.__doc__))
    app: dict[str, int] = {}
    status = 500
    for line in upper.splitlines()[1:]:
        if told := STATUS.search(line):
            status = int(told[0])
        app |= dict.fromkeys(NAME.findall(line), status)
    vendor = [NAME.search(line) for line in lower.splitlines()[1:]]
    return Drawn(app, {found[0] for found in vendor if found})


DRAWN = _read_drawing()


def _descendants(kind: type[Exception]) -> list[type[Exception]]:
    """Those of the module itself; tests elsewhere may have their own."""
    below = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [*below, *(deeper for child in below for deeper in _descendants(child))]


KINDS: list[type[AppError]] = [
    kind for kind in _descendants(AppError) if issubclass(kind, AppError)
]


def test_the_drawing_has_every_error_and_no_other() -> None:
    assert {kind.__name__ for kind in KINDS} == set(DRAWN.app)
    assert {kind.__name__ for kind in _descendants(VendorError)} == DRAWN.vendor


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_has_the_status_that_is_drawn(kind: type[AppError]) -> None:
    assert kind.status == DRAWN.app[kind.__name__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_has_a_stable_code_a_family_and_a_sentence(kind: type[AppError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert kind.type == TYPES[kind.status]
    assert kind.__doc__
    assert kind.__doc__.endswith(".")


def test_no_two_errors_share_a_code() -> None:
    codes = [AppError.code, *(kind.code for kind in KINDS)]
    assert len(set(codes)) == len(codes)


def test_no_refusal_of_a_request_has_the_code_of_a_job_that_failed() -> None:
    """Our own refusal of a prompt is not the vendor's, which comes later and gives tokens back."""
    assert not {kind.code for kind in KINDS} & {code.value for code in FailureCode}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_more_special_error_keeps_the_status_of_its_parent(kind: type[AppError]) -> None:
    (parent,) = kind.__bases__
    assert issubclass(parent, AppError)
    assert parent is AppError or kind.status == parent.status


def test_no_error_grows_outside_the_drawing() -> None:
    tree = {*DRAWN.app, *DRAWN.vendor, "AppError", "VendorError"}
    elsewhere = {
        f"{module.path}:{node.name}"
        for module in modules("shared", "functions")
        if module.path != "shared/errors.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(parent, ast.Name) and parent.id in tree for parent in node.bases)
    }
    assert elsewhere == set()


def test_an_error_carries_what_the_reply_shows() -> None:
    error = InsufficientTokens("No.", param="model", required_tokens=9)
    assert (str(error), error.message, error.param) == ("No.", "No.", "model")
    assert error.details == {"required_tokens": 9}


@pytest.mark.parametrize("kind", _descendants(VendorError), ids=lambda kind: kind.__name__)
def test_what_a_vendor_said_stays_out_of_what_callers_see(kind: type[VendorError]) -> None:
    error = kind("provider_busy", "HTTP 429", retry_after_seconds=1.5)
    assert not isinstance(error, AppError)
    assert (error.code, error.detail, error.retry_after_seconds) == (
        "provider_busy",
        "HTTP 429",
        1.5,
    )
    assert FailureCode(error.code) is FailureCode.PROVIDER_BUSY
