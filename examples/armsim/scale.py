"""Scales a set with Microsoft's SDK for Python: azure-identity, azure-mgmt-compute.

The environment is what armsim prints; requests takes its certificate from
REQUESTS_CA_BUNDLE, which is the file of SSL_CERT_FILE.
"""

from os import environ as env

from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient

credential = ClientSecretCredential(
    env["AZURE_TENANT_ID"],
    env["AZURE_CLIENT_ID"],
    env["AZURE_CLIENT_SECRET"],
    authority=env["AZURE_AUTHORITY_HOST"],
    disable_instance_discovery=True,
    instance_discovery=False,  # its name in a version before 1.13.0, which Debian 12 has
)
compute = ComputeManagementClient(
    credential,
    env["AZURE_SUBSCRIPTION_ID"],
    base_url=env["ARMSIM_ENDPOINT"],
    credential_scopes=[env["ARMSIM_ENDPOINT"] + "/.default"],
)
group, name = env["AZURE_RESOURCE_GROUP"], "web"
compute.virtual_machine_scale_sets.begin_update(group, name, {"sku": {"capacity": 3}}, polling_interval=1).result()
instances = list(compute.virtual_machine_scale_set_vms.list(group, name))
print(len(instances), "instances")
