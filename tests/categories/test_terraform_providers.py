"""Providers beside AWS: their schemas come from Terraform CDK's bindings, each loaded only for a
file that uses it.
"""

from pathlib import Path

import pytest

import inframind.categories.terraform as package
from inframind.categories.terraform.provider import PROVIDERS, provider
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score

GOOD = Path(package.__file__).parent / "good"
GOOGLE = (GOOD / "google-network.tf").read_text()
AZURE = (GOOD / "azure-virtual-machine.tf").read_text()


def judge(text: str) -> Verdict:
    return score(VerifyRequest(text=text, category="terraform", format="file"))


@pytest.mark.parametrize(
    ("text", "right", "wrong", "rule"),
    [
        (GOOGLE, "auto_create_subnetworks = false", "auto_create_subnets = false", "unknown-field"),
        (
            GOOGLE,
            'resource "google_compute_network" "vpc"',
            'resource "google_compute_networks" "vpc"',
            "unknown-type",
        ),
        (GOOGLE, '  database_version = "POSTGRES_15"\n', "", "missing-field"),
        (GOOGLE, "byte_length = 4", 'byte_length = "four"', "wrong-type"),
        (
            GOOGLE,
            "google_compute_network.vpc.name",
            "google_compute_network.vpc.link",
            "unknown-attribute",
        ),
        (
            GOOGLE,
            "    initialize_params {\n      image",
            "    params {\n      image",
            "unknown-field",
        ),
        (
            GOOGLE,
            "network_interface[0].network_ip",
            "network_interface[0].address",
            "unknown-attribute",
        ),
        (AZURE, "  features {}", "  features {\n    resource_groups {}\n  }", "unknown-field"),
        (
            AZURE,
            'address_space       = ["10.0.0.0/16"]',
            'address_space       = { a = "10.0.0.0/16" }',
            "wrong-type",
        ),
        (AZURE, "  admin_username ", "  admin_user ", "unknown-field"),
        (AZURE, "identity {", "identities {", "unknown-field"),
        (AZURE, "  os_disk {", "  os_disk {}\n\n  os_disk {", "block-count"),
        (
            AZURE,
            "azurerm_kubernetes_cluster.aks.identity[0].principal_id",
            "azurerm_kubernetes_cluster.aks.principal",
            "unknown-attribute",
        ),
    ],
)
def test_google_and_azure_are_checked_below_the_first_level(
    text: str, right: str, wrong: str, rule: str
) -> None:
    assert judge(text).verdict is Outcome.PASS
    assert right in text
    verdict = judge(text.replace(right, wrong, 1))
    assert verdict.verdict is Outcome.FAIL
    assert rule in {finding.rule for finding in verdict.findings}


@pytest.mark.parametrize(
    "text",
    [
        'resource "helm_release" "web" {\n  name  = "web"\n  chart = "web"\n}\n',
        "terraform {\n  required_providers {\n"
        '    aws = { source = "example.com/hashicorp/aws" }\n  }\n}\n'
        'resource "aws_sqs_queue" "q" {}\n',
        'ephemeral "random_password" "db" {\n  length = 20\n}\n',
        'terraform {\n  required_providers {\n    time = { source = "hashicorp/time" }\n  }\n}\n'
        'locals {\n  year = provider::time::rfc3339_parse("2026-01-01T00:00:00Z").year\n}\n',
    ],
)
def test_what_no_schema_knows_is_unsupported_and_earns_nothing(text: str) -> None:
    verdict = judge(text)
    assert verdict.rungs["schema"] == "unsupported", verdict.findings
    assert verdict.verdict is Outcome.FAIL
    assert verdict.score == 0.05


def test_a_file_loads_only_the_providers_that_it_uses() -> None:
    provider.cache_clear()
    assert judge((GOOD / "aws-queue-worker.tf").read_text()).verdict is Outcome.PASS
    assert provider.cache_info().currsize == 1
    assert judge(GOOGLE).verdict is Outcome.PASS
    assert provider.cache_info().currsize == 3


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_schema_says_where_it_comes_from(name: str) -> None:
    loaded = provider(name)
    assert loaded is not None
    assert f"hashicorp/{name} " in loaded.data["source"]
    assert loaded.data["licence"] == "MPL-2.0"
    assert loaded.data["resource"] or loaded.data["data"]
