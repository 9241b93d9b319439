"""Files of packages and of CI, checked by their own schemas and by the program."""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

TOP = pathlib.Path(__file__).resolve().parents[2]


def check_schema(schema, file):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted((TOP / "docker").glob("compose*.yml")), ids=lambda file: file.name)
def test_compose_files_have_the_form_of_the_specification(file):
    check_schema("vendor.compose-spec", file)


@pytest.mark.parametrize("file", sorted((TOP / ".github/workflows").glob("*.yml")), ids=lambda file: file.name)
def test_workflows_have_the_form_of_github(file):
    check_schema("vendor.github-workflows", file)


def test_the_configuration_of_packages_is_taken_with_each_of_its_examples(options_in_force, tmp_path):
    text = (TOP / "docker/tapecast.toml").read_text()
    assert 'listen = "127.0.0.1:8080"' in options_in_force(text)
    # The key of an upstream is read at once.
    for name in ["upstream-key", "upstream-secret"]:
        (tmp_path / name).write_text("secret\n")
    text = text.replace("/etc/tapecast/", f"{tmp_path}/")
    examples = re.findall(r"^# ([a-z_]+ = .*)$", text, re.MULTILINE)
    assert len(examples) > 10
    printed = options_in_force(text + "\n".join(examples))
    for example in examples:
        name = example.split(" ")[0]
        assert re.search(rf"^{name} = ", printed, re.MULTILINE), f"{name} is not in force:\n{printed}"


def test_packages_have_the_version_of_the_program():
    version = tomllib.loads((TOP / "Cargo.toml").read_text())["package"]["version"]
    chart = yaml.safe_load((TOP / "docker/helm/tapecast/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)
    assert f"\nARG VERSION={version}\n" in (TOP / "docker/Dockerfile").read_text()


def sbom():
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run([TOP / "docker/sbom"], capture_output=True, text=True, env=environment, check=True)
    return done.stdout


def test_the_bill_of_materials_is_valid_and_the_same_each_time():
    text = sbom()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == sbom()
    assert '"pkg:npm/lightweight-charts@' in text and '"pkg:cargo/actix-web@' in text
    assert "pkg:cargo/criterion@" not in text and "pkg:npm/vitest@" not in text
