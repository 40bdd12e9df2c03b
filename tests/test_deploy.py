"""What cannot be started here is read instead: images, services, manifests and the CI example, against our own code."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml

from flows.cli import app
from schemas.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKER = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text()))
POOL: dict[str, Any] = json.loads((ROOT / "deploy/kubernetes/work-pool.json").read_text())
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "examples/ci/github-actions.yaml").read_text())
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
FILES = [
    "Dockerfile", "docker-compose.yaml", ".env.example", "deploy/kubernetes/worker.yaml",
    "deploy/kubernetes/work-pool.json", "deploy/minio/make-key.sh", "deploy/minio/worker-policy.json",
    "examples/ci/github-actions.yaml", "docs/operations.md",
]  # fmt: skip
LOCK = dict(re.findall(r"^([\w.-]+)==([^\s#;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
SECRET = re.compile(r"password|secret|_key\b|token", re.IGNORECASE)


def instructions(dockerfile: str) -> Iterator[tuple[str, list[str]]]:
    joined = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ")
    for line in joined.splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, rest.split()


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def test_everything_copied_is_there_and_let_through() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for name, words in instructions(DOCKERFILE)
        if name == "COPY" and not words[0].startswith("--from=")
        for source in words[:-1]
    }
    assert copied == allowed
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_every_package_of_ours_is_copied() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= {words[0] for name, words in instructions(DOCKERFILE) if name == "COPY"}


def test_the_image_runs_as_nobody_and_holds_no_compiler() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert len(stages) == 3
    assert "build-essential" in stages[1] and "apt-get" not in stages[2]
    users = [words[0] for name, words in instructions("FROM " + stages[2]) if name == "USER"]
    assert users and users[-1] not in ("root", "0")
    assert "HEALTHCHECK" in stages[2]


def images() -> set[str]:
    own = {words[0] for name, words in instructions(DOCKERFILE) if name == "FROM"}
    pods = {container["image"] for container in WORKER[1]["spec"]["template"]["spec"]["containers"]}
    default = POOL["variables"]["properties"]["image"]["default"]
    return own | pods | {default} | {service["image"] for service in SERVICES.values()}


@pytest.mark.parametrize("image", sorted(images()))
def test_every_image_has_an_exact_tag(image: str) -> None:
    tag = image.rpartition("/")[2].partition(":")[2]
    assert re.search(r"\d+[.-]\d+", tag), image


def test_versions_agree_with_the_lock_and_the_package() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert {image for image in images() if "jamdub" in image} == {
        f"jamdub:{version[1]}",
        f"jamdub:{version[1]}-cuda",
        f"registry.example.com/jamdub:{version[1]}",
    }
    assert SERVICES["prefect-server"]["image"] == f"prefecthq/prefect:{LOCK['prefect']}-python3.11"
    assert f'"prefect=={LOCK["prefect"]}"' in (ROOT / "examples/ci/github-actions.yaml").read_text()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_again_has_limits_and_little_power(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] in ("unless-stopped", "on-failure:5")
    assert service["mem_limit"] and service["cpus"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    is_short = service["restart"] == "on-failure:5"
    assert is_short or "healthcheck" in service or service["image"].startswith("jamdub:")  # the image's own
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        waited = SERVICES[other]
        if how["condition"] == "service_healthy":
            assert "test" in waited["healthcheck"]
        else:
            assert how["condition"] == "service_completed_successfully" and waited["restart"] == "on-failure:5"


def test_every_volume_is_named_and_every_mounted_file_is_there() -> None:
    named = set()
    for volume in (volume for service in SERVICES.values() for volume in service.get("volumes", ())):
        source = volume.split(":")[0]
        if source.startswith("./"):
            assert (ROOT / source).exists()
        else:
            named.add(source)
    assert named == set(COMPOSE["volumes"])


def test_every_pool_has_a_worker_and_every_deployment_a_pool() -> None:
    commands = [shlex.join(service.get("command", ())) for service in SERVICES.values()]
    served = {match[1] for text in commands if (match := re.search(r"--pool (\S+)", text))}
    assert {deployment["work_pool"]["name"] for deployment in DEPLOYMENTS} <= served == {"cpu", "gpu", "conductor"}
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]
    assert environment_of(SERVICES["worker-gpu"]) == {**environment_of(SERVICES["worker-cpu"]), "JAMDUB_LEASE": "gpu"}


@pytest.mark.parametrize("name", FILES)
def test_every_variable_names_a_setting(name: str) -> None:
    named = {found.lower() for found in re.findall(r"JAMDUB_([A-Z0-9_]+)", (ROOT / name).read_text())}
    assert named <= set(Settings.model_fields)


def our_commands() -> Iterator[list[str]]:
    for service in SERVICES.values():
        yield list(service.get("command", ()))
    yield WORKER[1]["spec"]["template"]["spec"]["containers"][0]["command"]
    for line in re.findall(r"^ {4}(?:\$ )?(jamdub .+|prefect .+)$", (ROOT / "docs/operations.md").read_text(), re.M):
        yield shlex.split(line.partition("#")[0])


@pytest.mark.parametrize("words", [words for words in our_commands() if words[:1] == ["jamdub"]], ids=shlex.join)
def test_every_jamdub_command_exists(words: list[str]) -> None:
    command: click.Command = typer.main.get_command(app)
    for word in words[1:]:
        if not isinstance(command, click.Group):
            break
        assert word in command.commands, f"jamdub {word} is no command"
        command = command.commands[word]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def texts_of(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a YAML tree with its key; of `{name: N, value: V}` the name is the key."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from texts_of(value, str(node.get("name", name)) if name == "value" else str(name))
    elif isinstance(node, list):
        for value in node:
            yield from texts_of(value, key)
    elif isinstance(node, str):
        yield key, node


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".yaml", ".json"))])
def test_no_secret_is_written_down(name: str) -> None:
    trees = yaml.safe_load_all((ROOT / name).read_text())
    found = [(key, text) for tree in trees for key, text in texts_of(tree) if SECRET.search(key)]
    assert [pair for pair in found if not pair[1].startswith(("${", "jamdub"))] == []  # jamdub: a secret's name
    passwords = [text for tree in [(ROOT / name).read_text()] for text in re.findall(r"://\w+:([^@\s]+)@", tree)]
    assert [text for text in passwords if not text.startswith("${")] == []


def test_the_example_of_secrets_is_empty() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    assert lines and all(line.endswith("=") for line in lines)
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_every_secret_that_is_needed_is_in_the_example() -> None:
    example = {line.partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    needed = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yaml").read_text()))
    assert needed == example


def test_pods_run_as_nobody() -> None:
    for pod in (WORKER[1]["spec"]["template"]["spec"], job_pod()):
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        for container in pod["containers"]:
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"]
            assert own["capabilities"]["drop"] == ["ALL"]
            assert {"requests", "limits"} == set(container["resources"])
            assert {mount["name"] for mount in container["volumeMounts"]} == {"home", "tmp"}


def test_the_work_pool_fills_every_gap() -> None:
    gaps = set(re.findall(r"{{ (\w+) }}", json.dumps(POOL["job_configuration"])))
    assert gaps == set(POOL["variables"]["properties"])


def job_pod() -> dict[str, Any]:
    pod: dict[str, Any] = POOL["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]
    return pod


def test_the_ci_example_runs_a_deployment_of_ours() -> None:
    steps = ACTION["jobs"]["dub"]["steps"]
    script = next(step["run"] for step in steps if "prefect deployment run" in step.get("run", ""))
    assert "dub-video/production" in script and "--watch" in script
    assert "${{" not in script, "an input put into a script's text is run as code"
    assert any(one["name"] == "production" and "dub" in one["entrypoint"] for one in DEPLOYMENTS)


def test_the_workers_key_reaches_one_bucket_only() -> None:
    policy = json.loads((ROOT / "deploy/minio/worker-policy.json").read_text())
    resources = {name for statement in policy["Statement"] for name in statement["Resource"]}
    actions = {name for statement in policy["Statement"] for name in statement["Action"]}
    assert resources == {"arn:aws:s3:::jamdub", *(f"arn:aws:s3:::jamdub/{part}/*" for part in ("store", "in", "out"))}
    assert not any("*" in action for action in actions)
    assert COMPOSE["x-jamdub"]["environment"]["JAMDUB_STORE_URL"] == "s3://jamdub/store"
    assert "mc mb --ignore-existing local/jamdub" in (ROOT / "deploy/minio/make-key.sh").read_text()
