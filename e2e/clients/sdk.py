"""Runs one line of Python against the lab with Microsoft's SDKs, unpatched.

    sdk.py 'compute.virtual_machines.get("g", "vm").location'

The line's value is printed as JSON. An error of ARM is printed on stderr as
`(Code) Message`, with exit status 1.
"""
import ast
import json
import os
import sys

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.paging import ItemPaged

ENDPOINT = os.environ["ARM_ENDPOINT"]
SUBSCRIPTION = os.environ["AZURE_SUBSCRIPTION_ID"]
SCOPES = ["https://management.regain.invalid/.default"]


def credential(kind):
    """As the documentation of azure-identity says for a private cloud."""
    import azure.identity as identity

    if kind == "default":
        return identity.DefaultAzureCredential(disable_instance_discovery=True)
    return identity.ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )


class Names(dict):
    """Clients are made when they are named: each import costs a second."""

    def __missing__(self, name):
        if name == "compute":
            from azure.mgmt.compute import ComputeManagementClient as Client
        elif name == "network":
            from azure.mgmt.network import NetworkManagementClient as Client
        elif name == "resource":
            from azure.mgmt.resource import ResourceManagementClient as Client
        elif name == "authorization":
            from azure.mgmt.authorization import AuthorizationManagementClient as Client
        else:
            raise KeyError(name)
        self[name] = Client(
            credential(self["login"]),
            SUBSCRIPTION,
            base_url=ENDPOINT,
            credential_scopes=SCOPES,
            polling_interval=1,
        )
        return self[name]


def plain(value):
    """What JSON can say of it."""
    if isinstance(value, (ItemPaged, list, tuple, set)) or hasattr(value, "__next__"):
        return [plain(item) for item in value]
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def run(line, names):
    tree = ast.parse(line)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<line>", "exec"), {}, names)
    if last is not None:
        return plain(eval(compile(ast.Expression(last.value), "<line>", "eval"), {}, names))
    return None


names = Names(login="secret", SUBSCRIPTION=SUBSCRIPTION)
try:
    print(json.dumps(run(sys.argv[1], names), indent=2, default=str))
except ClientAuthenticationError as error:
    print(f"(ClientAuthenticationError) {error.message}", file=sys.stderr)
    sys.exit(1)
except HttpResponseError as error:
    code = error.error.code if error.error else error.status_code
    print(f"({code}) {error.message}", file=sys.stderr)
    sys.exit(1)
