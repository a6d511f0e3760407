"""What the code says of itself, what Terraform reads, and what clients are told is one thing."""

import json
import re
from dataclasses import asdict
from typing import Any

from infra.cloud_local.emulators import _own
from infra.emulators.cloud_tasks import Place
from infra.manifest import PATH, VENDOR_SECRETS, manifest, text
from infra.routes import FUNCTIONS
from shared import catalogue, records
from shared.config import read_settings
from shared.usecases import tasks
from shared.vendor_accounts import VendorAccount
from tests.architecture.tree import ROOT, files

TERRAFORM = ROOT / "terraform"

RUNTIME_NAMES = {"FUNCTION_USE_ASGI"}  # read by functions-framework
ACCOUNT = VendorAccount(
    name="sandbox_2",
    url="https://sandbox.example",
    key="a-key",
    webhook_secrets=("a-secret",),
    places={"sandbox": 2},
    rates={"sandbox": 30},
    hosts=("files.example",),
)


def test_the_manifest_is_what_the_code_says_now() -> None:
    assert PATH.read_text() == text(), "run python -m infra.manifest"


def test_the_public_routes_are_the_documented_ones() -> None:
    told = {
        (method.upper(), path)
        for path, methods in _openapi()["paths"].items()
        for method, operation in methods.items()
        if not {"internal", "health"} & set(operation["tags"])
    }
    routed = {
        (method, path)
        for function in manifest()["functions"].values()
        if not function["internal"]
        for path, methods in function["routes"].items()
        for method in methods
    }
    assert told
    assert routed == told


def test_no_route_belongs_to_two_functions() -> None:
    routes = [
        (method, path)
        for function in manifest()["functions"].values()
        for path, methods in function["routes"].items()
        for method in methods
    ]
    assert len(routes) == len(set(routes))


def test_only_the_queue_s_and_the_scheduler_s_functions_are_internal() -> None:
    functions = manifest()["functions"]
    assert {name for name, function in functions.items() if function["internal"]} == {
        "run_task",
        "sweep",
    }


def test_every_queue_that_the_code_names_exists() -> None:
    named = {tasks.CHECK, tasks.STORE, tasks.REFILL, tasks.REPAIR}
    named |= {tasks.dispatch_queue(model.pool) for model in catalogue.load().models.values()}
    assert named == set(manifest()["queues"])


def test_a_dispatch_queue_has_as_many_places_as_its_pool_has_slots() -> None:
    queues, pools = manifest()["queues"], manifest()["pools"]
    assert pools
    for name, pool in pools.items():
        assert queues[tasks.dispatch_queue(name)]["max_concurrent_dispatches"] == pool["slots"]


def test_every_queue_stays_within_what_cloud_tasks_takes() -> None:
    for name, queue in manifest()["queues"].items():
        assert re.fullmatch(r"[A-Za-z0-9-]{1,100}", name)
        assert 1 <= queue["max_concurrent_dispatches"] <= 5000
        assert 0 < queue["max_dispatches_per_second"] <= 500
        assert 15 <= queue["dispatch_deadline_seconds"] <= 1800


def test_no_field_is_indexed_by_itself_unless_an_index_of_ours_says_so() -> None:
    fields = manifest()["field_indexes"]
    assert set(fields) == set(records.COLLECTIONS)
    assert all(found["*"] == [] for found in fields.values())


def test_a_restore_by_the_operator_s_manual_forgets_no_collection() -> None:
    manual = (ROOT / "docs" / "operate.md").read_text()
    (emptied,) = re.findall(r"--collection-ids=([a-z_,]+)", manual)
    assert sorted(emptied.split(",")) == sorted(records.COLLECTIONS)


def test_every_setting_that_terraform_gives_is_one_that_the_code_reads() -> None:
    settings = manifest()["settings"]
    text = _text("functions.tf") + _text("modules/http_function/main.tf")
    given = set(re.findall(r"^ {4,6}([A-Z_]{4,}) += ", text, re.MULTILINE))
    given |= set(re.findall(r"\{ ([A-Z_]{4,}) = ", text))
    assert given >= RUNTIME_NAMES
    assert {name.lower() for name in given - RUNTIME_NAMES} <= set(settings["plain"])


def test_a_function_here_is_told_of_an_account_what_terraform_tells_it() -> None:
    plain = re.findall(r"^ {8}([A-Z]+) += ", _text("functions.tf"), re.MULTILINE)
    secrets = re.findall(r'"vendor_\$\{name\}_(\w+)"', _text("secrets.tf"))
    place = Place("127.0.0.1:1", "127.0.0.1:2")
    for name in FUNCTIONS:
        told = {setting for setting in _own(name, [ACCOUNT], place) if setting.startswith("VENDOR")}
        secret = [VENDOR_SECRETS[name]] if name in VENDOR_SECRETS else []
        assert told == {f"VENDOR_SANDBOX_2_{part}".upper() for part in (*plain, *secret)}
    assert set(secrets) == set(VENDOR_SECRETS.values())


def test_everything_that_functions_are_told_of_an_account_is_read() -> None:
    place = Place("127.0.0.1:1", "127.0.0.1:2")
    told: dict[str, str] = {}
    for name in FUNCTIONS:
        told |= _own(name, [ACCOUNT], place)
    secrets = {f"{name}_SECRET": "x" * 32 for name in ("SESSION", "QUOTE", "HOOK", "BLOB", "TASK")}
    accounts = read_settings({**told, **secrets}).accounts
    assert asdict(next(each for each in accounts if each.name == "sandbox_2")) == asdict(ACCOUNT)


def test_every_function_requires_only_settings_that_there_are() -> None:
    settings = manifest()["settings"]
    for function in manifest()["functions"].values():
        assert set(function["required"]) <= {*settings["plain"], *settings["secret"]}


def test_every_environment_gives_only_variables_that_exist() -> None:
    declared = set(re.findall(r'^variable "(\w+)"', _text("variables.tf"), re.MULTILINE))
    for name in ("dev", "prod"):
        given = re.findall(r"^(\w+) += ", _text(f"envs/{name}/terraform.tfvars"), re.MULTILINE)
        assert given
        assert set(given) <= declared


def test_every_environment_file_is_wholly_given_to_its_test() -> None:
    for name in ("dev", "prod"):
        given = re.findall(r"^(\w+) += ", _text(f"envs/{name}/terraform.tfvars"), re.MULTILINE)
        tested = re.findall(r"run\.environment\.values\.(\w+)", _text(f"tests/{name}.tftest.hcl"))
        assert set(given) == set(tested)


def test_variables_and_outputs_stand_in_order() -> None:
    for path in TERRAFORM.rglob("*.tf"):
        for kind in ("variable", "output"):
            names = re.findall(rf'^{kind} "(\w+)"', path.read_text(), re.MULTILINE)
            assert names == sorted(names), path


def test_no_lock_of_a_provider_is_kept() -> None:
    # Its hashes would be those of whatever stood for the provider where it was made.
    assert [name for name in files() if name.endswith(".terraform.lock.hcl")] == []


def _openapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())
    return document


def _text(name: str) -> str:
    return (TERRAFORM / name).read_text()
