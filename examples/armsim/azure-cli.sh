#!/bin/sh
# A scale set from nothing with Azure CLI, in the environment that armsim prints.
# AZ is the command, az if it is not set.
set -eu
az() { ${AZ:-command az} "$@" --only-show-errors; }

export REQUESTS_CA_BUNDLE="$SSL_CERT_FILE" AZURE_CORE_COLLECT_TELEMETRY=no
# Azure CLI before 2.54 takes no other authority than an AD FS without asking
# Microsoft about it; later ones need --endpoint-active-directory "$ARMSIM_ENDPOINT" and
# az config set core.instance_discovery=false
az cloud register -n armsim --endpoint-resource-manager "$ARMSIM_ENDPOINT" --endpoint-active-directory "$ARMSIM_ENDPOINT/adfs"
az cloud set -n armsim
az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" -o none

az vmss create -g "$AZURE_RESOURCE_GROUP" -n web --image Canonical:ubuntu-24_04-lts:server:latest \
	--orchestration-mode "${MODE:-Uniform}" --admin-username azureuser --authentication-type password \
	--admin-password "${ADMIN_PASSWORD:?}" --instance-count 2 --lb-sku Standard -o none
az vmss show -g "$AZURE_RESOURCE_GROUP" -n web --query sku.capacity -o tsv
az deployment group list -g "$AZURE_RESOURCE_GROUP" --query '[].properties.provisioningState' -o tsv
