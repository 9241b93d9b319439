"""The Helm chart: Helm itself lints and renders it, its manifests are valid, and the program takes its configuration."""

import copy
import pathlib

import helm_python
import kubernetes_validate
import pytest
import yaml

CHART = pathlib.Path(__file__).resolve().parents[2] / "docker/helm/tapecast"

# The oldest version that the chart allows, and the newest that the schemas know.
KUBERNETES = ["1.30", "1.37"]

SECRET = {"name": "n", "key": "k"}

VALUES = {
    "defaults": {},
    "journal": {"feed": {"journal": {"enabled": True, "storageClassName": "fast"}}},
    "autoscaling": {"gateway": {"autoscaling": {"enabled": True, "sessions": 5000}}},
    "ingress": {"ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls"}},
    "keys": {"keys": {"lines": '{"id":"desk","hash":"sha256:a:b"}\n'}},
    "secrets": {
        "keys": {"existingSecret": "keys"},
        "nats": {"urlSecret": SECRET, "credsSecret": SECRET, "caSecret": SECRET},
        "image": {"pullSecrets": [{"name": "registry"}]},
        "adminTokenSecret": SECRET,
    },
    "volumes": {
        "config": {"jwt_secret_file": "/etc/tapecast/jwt/secret"},
        "extraVolumes": [{"name": "jwt", "secret": {"secretName": "jwt"}}],
        "extraVolumeMounts": [{"name": "jwt", "mountPath": "/etc/tapecast/jwt", "readOnly": True}],
    },
    "options": {
        "config": {"symbols": 100000, "rate": 0.5, "public_host": ["a.example.org", "b.example.org"], "open_chat": True},
        "feed": {"config": {"weather": "none"}, "nodeSelector": {"disk": "fast"}},
        "gateway": {
            "config": {"max_sessions": 5000, "log": "info,tapecast::hub=debug"},
            "tolerations": [{"key": "k", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
        },
        "podLabels": {"team": "market"},
        "podAnnotations": {"note": "yes"},
        "metrics": {"annotations": False},
    },
}


def render(values):
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="tape", namespace="market")
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]


def find(manifests, kind, name):
    return next(m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)


def test_helm_lint_finds_neither_errors_nor_warnings():
    found = helm_python.lint(str(CHART))
    assert found["total_charts_linted"] == 1 and found["errors"] == []
    # Severity 1 is a recommendation: the chart has no icon.
    assert all(message["severity"] <= 1 for message in found["messages"]), found["messages"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("case", VALUES)
def test_manifests_are_valid(case, version):
    manifests = render(VALUES[case])
    assert len(manifests) >= 8
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("case", VALUES)
@pytest.mark.parametrize("role", ["feed", "gateway"])
def test_the_program_takes_the_configuration(case, role, options_in_force):
    manifests = render(VALUES[case])
    text = find(manifests, "ConfigMap", f"tape-{role}")["data"]["tapecast.toml"]
    # A container has the URL with a password from a Secret.
    environment = {"TAPECAST_NATS": "nats://u:p@nats:4222"} if case == "secrets" else {}
    printed = options_in_force(text, environment)
    assert f'role = "{role}"' in printed
    if case == "options" and role == "gateway":
        assert "max_sessions = 5000" in printed and 'public_host = ["a.example.org", "b.example.org"]' in printed
        assert "symbols = 100000" in printed and "rate = 0.5" in printed


def test_selectors_and_names_fit_together():
    manifests = render({"gateway": {"autoscaling": {"enabled": True}}, "ingress": {"enabled": True}})
    for kind, name, role in [("StatefulSet", "tape-feed", "feed"), ("Deployment", "tape-gateway", "gateway")]:
        labels = find(manifests, kind, name)["spec"]["template"]["metadata"]["labels"]
        budget = find(manifests, "PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"]
        workload = find(manifests, kind, name)["spec"]["selector"]["matchLabels"]
        assert budget == workload and budget.items() <= labels.items() and labels["app.kubernetes.io/component"] == role
    # Clients are served by gateways, not by feeds.
    service = find(manifests, "Service", "tape")["spec"]["selector"]
    assert service.items() <= find(manifests, "Deployment", "tape-gateway")["spec"]["template"]["metadata"]["labels"].items()
    assert "replicas" not in find(manifests, "Deployment", "tape-gateway")["spec"], "the autoscaler sets them"
    assert find(manifests, "StatefulSet", "tape-feed")["spec"]["serviceName"] == "tape-feed"
    autoscaler = find(manifests, "HorizontalPodAutoscaler", "tape-gateway")["spec"]
    assert autoscaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tape-gateway"}
    backend = find(manifests, "Ingress", "tape")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "tape", "port": {"name": "http"}}


def test_pods_are_hardened_and_probed():
    for manifest in render({}):
        if manifest["kind"] not in ("Deployment", "StatefulSet"):
            continue
        pod = manifest["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        ports = {port["name"] for port in container["ports"]}
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"]:
            assert container[probe]["httpGet"]["port"] in ports
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pod["terminationGracePeriodSeconds"] > 20 + pause + 10
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert mounts <= {volume["name"] for volume in pod["volumes"]}


def test_a_change_of_the_configuration_restarts_only_the_role_that_it_concerns():
    def checksums(values):
        manifests = render(values)
        found = [find(manifests, kind, name) for kind, name in [("StatefulSet", "tape-feed"), ("Deployment", "tape-gateway")]]
        return [m["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for m in found]

    before, after = checksums({}), checksums({"gateway": {"config": {"max_sessions": 7}}})
    assert before[0] == after[0] and before[1] != after[1]


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": 3},
        {"feed": {"replicas": 0}},
        {"nats": {"url": "http://nats:4222"}},
        {"nats": {"credsSecret": {"name": "creds"}}},
        {"config": {"max-sessions": 5}},
        {"config": {"tls": {"cert": "x"}}},
        {"gateway": {"autoscaling": {"session": 5}}},
        {"image": {"pullPolicy": "Sometimes"}},
        {"drainSeconds": -1},
    ],
)
def test_wrong_values_are_refused(values):
    with pytest.raises(helm_python.HelmError):
        render(copy.deepcopy(values))
