package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var poll = &runtime.PollUntilDoneOptions{Frequency: 20 * time.Millisecond}

// azure is Azure's own client, which knows of the simulator what it exported
// and nothing else.
type azure struct {
	group      string
	sets       *armcompute.VirtualMachineScaleSetsClient
	instances  *armcompute.VirtualMachineScaleSetVMsClient
	interfaces *armnetwork.InterfacesClient
	addresses  *armnetwork.PublicIPAddressesClient
}

func (p *process) azure(t *testing.T) *azure {
	t.Helper()
	credential, options := p.login(t, p.env["AZURE_CLIENT_SECRET"])
	subscription := p.env["AZURE_SUBSCRIPTION_ID"]
	compute, err := armcompute.NewClientFactory(subscription, credential, options)
	require.NoError(t, err)
	network, err := armnetwork.NewClientFactory(subscription, credential, options)
	require.NoError(t, err)
	return &azure{
		group: p.env["AZURE_RESOURCE_GROUP"],
		sets:  compute.NewVirtualMachineScaleSetsClient(), instances: compute.NewVirtualMachineScaleSetVMsClient(),
		interfaces: network.NewInterfacesClient(), addresses: network.NewPublicIPAddressesClient(),
	}
}

func (p *process) login(t *testing.T, secret string) (azcore.TokenCredential, *arm.ClientOptions) {
	t.Helper()
	ca, err := os.ReadFile(p.env["SSL_CERT_FILE"])
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	base := policy.ClientOptions{
		Transport: &http.Client{Transport: transport},
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: p.env["AZURE_AUTHORITY_HOST"],
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: p.env["ARMSIM_ENDPOINT"], Audience: p.env["ARMSIM_AUDIENCE"]},
			},
		},
	}
	credential, err := azidentity.NewClientSecretCredential(p.env["AZURE_TENANT_ID"], p.env["AZURE_CLIENT_ID"], secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: base, DisableInstanceDiscovery: true})
	require.NoError(t, err)
	return credential, &arm.ClientOptions{ClientOptions: base}
}

// all reads every page of a list.
func all[T, R any](t *testing.T, pager *runtime.Pager[R], values func(R) []*T) []*T {
	t.Helper()
	var found []*T
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		require.NoError(t, err)
		found = append(found, values(page)...)
	}
	return found
}

func (a *azure) list(t *testing.T, set string) []*armcompute.VirtualMachineScaleSetVM {
	t.Helper()
	pager := a.instances.NewListPager(a.group, set, &armcompute.VirtualMachineScaleSetVMsClientListOptions{Expand: to.Ptr("instanceView")})
	return all(t, pager, func(r armcompute.VirtualMachineScaleSetVMsClientListResponse) []*armcompute.VirtualMachineScaleSetVM {
		return r.Value
	})
}

func (a *azure) resize(t *testing.T, set string, n int64, etag *string) error {
	t.Helper()
	poller, err := a.sets.BeginUpdate(t.Context(), a.group, set,
		armcompute.VirtualMachineScaleSetUpdate{SKU: &armcompute.SKU{Capacity: &n}},
		&armcompute.VirtualMachineScaleSetsClientBeginUpdateOptions{IfMatch: etag})
	if err != nil {
		return err
	}
	done, err := poller.PollUntilDone(t.Context(), poll)
	require.NoError(t, err)
	assert.Equal(t, n, *done.SKU.Capacity)
	assert.Equal(t, "Succeeded", *done.Properties.ProvisioningState)
	return nil
}

// TestAnOrdinaryAzureClient: armsim started alone serves an ordinary Azure
// client that only knows its endpoint and CA.
func TestAnOrdinaryAzureClient(t *testing.T) {
	t.Parallel()
	p := launch(t, "--no-machines", "--scale-set", "ci", "--capacity", "2", "--public-address",
		"--boot", "100ms", "--delete", "50ms", "--page-size", "2")
	a, set := p.azure(t), p.env["ARMSIM_SCALE_SET"]
	require.NoError(t, a.resize(t, set, 5, nil))
	instances := a.list(t, set)
	require.Len(t, instances, 5)
	for _, i := range instances {
		require.Len(t, i.Properties.InstanceView.Statuses, 2)
		assert.NotEmpty(t, *i.Properties.VMID)
	}
	a.checkNetwork(t, set, 5)
	a.checkLostUpdate(t, set, instances)
	a.checkRemoval(t, set)
}

func (a *azure) checkNetwork(t *testing.T, set string, n int) {
	t.Helper()
	private, public := map[string]bool{}, map[string]bool{}
	nics := all(t, a.interfaces.NewListVirtualMachineScaleSetNetworkInterfacesPager(a.group, set, nil),
		func(r armnetwork.InterfacesClientListVirtualMachineScaleSetNetworkInterfacesResponse) []*armnetwork.Interface {
			return r.Value
		})
	for _, nic := range nics {
		private[*nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress] = true
		assert.NotEmpty(t, *nic.Properties.VirtualMachine.ID)
	}
	ips := all(t, a.addresses.NewListVirtualMachineScaleSetPublicIPAddressesPager(a.group, set, nil),
		func(r armnetwork.PublicIPAddressesClientListVirtualMachineScaleSetPublicIPAddressesResponse) []*armnetwork.PublicIPAddress {
			return r.Value
		})
	for _, ip := range ips {
		public[*ip.Properties.IPAddress] = true
	}
	assert.Len(t, private, n)
	assert.Len(t, public, n)
}

func (a *azure) checkLostUpdate(t *testing.T, set string, instances []*armcompute.VirtualMachineScaleSetVM) {
	t.Helper()
	before, err := a.sets.Get(t.Context(), a.group, set, nil)
	require.NoError(t, err)
	ids := armcompute.VirtualMachineScaleSetVMInstanceRequiredIDs{InstanceIDs: []*string{instances[0].InstanceID, instances[3].InstanceID}}
	deletion, err := a.sets.BeginDeleteInstances(t.Context(), a.group, set, ids, nil)
	require.NoError(t, err)

	err = a.resize(t, set, 6, before.Etag)
	var refused *azcore.ResponseError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusPreconditionFailed, refused.StatusCode)
	assert.Equal(t, "PreconditionFailed", refused.ErrorCode)

	_, err = deletion.PollUntilDone(t.Context(), poll)
	require.NoError(t, err)
	assert.Len(t, a.list(t, set), 3)
	after, err := a.sets.Get(t.Context(), a.group, set, nil)
	require.NoError(t, err)
	assert.EqualValues(t, 3, *after.SKU.Capacity)
	require.NoError(t, a.resize(t, set, 4, after.Etag))
}

func (a *azure) checkRemoval(t *testing.T, set string) {
	t.Helper()
	removal, err := a.sets.BeginDelete(t.Context(), a.group, set, nil)
	require.NoError(t, err)
	_, err = removal.PollUntilDone(t.Context(), poll)
	require.NoError(t, err)
	_, err = a.sets.Get(t.Context(), a.group, set, nil)
	var gone *azcore.ResponseError
	require.ErrorAs(t, err, &gone)
	assert.Equal(t, "ResourceNotFound", gone.ErrorCode)
}

func TestAWrongSecret(t *testing.T) {
	t.Parallel()
	p := launch(t, "--no-machines")
	credential, options := p.login(t, "wrong")
	sets, err := armcompute.NewVirtualMachineScaleSetsClient(p.env["AZURE_SUBSCRIPTION_ID"], credential, options)
	require.NoError(t, err)
	_, err = sets.Get(t.Context(), "ci", "ci", nil)
	assert.ErrorContains(t, err, "AADSTS7000215")
}

func TestModelFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "model.json")
	model, err := json.Marshal(map[string]any{"location": "northeurope", "tags": map[string]any{"from": "file"},
		"sku": map[string]any{"name": "Standard_F4s_v2", "capacity": 1}, "properties": map[string]any{
			"overprovision": false, "upgradePolicy": map[string]any{"mode": "Manual"}, "virtualMachineProfile": map[string]any{
				"osProfile":      map[string]any{"adminUsername": "azureuser", "computerNamePrefix": "mine"},
				"storageProfile": map[string]any{"imageReference": map[string]any{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}},
				"networkProfile": map[string]any{"networkInterfaceConfigurations": []any{map[string]any{"name": "nic"}}},
			}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, model, 0o600))
	p := launch(t, "--no-machines", "--scale-set", "mine", "--model", file)
	a := p.azure(t)
	set, err := a.sets.Get(t.Context(), a.group, "mine", nil)
	require.NoError(t, err)
	assert.Equal(t, "Standard_F4s_v2", *set.SKU.Name)
	assert.Equal(t, "file", *set.Tags["from"])
	assert.Len(t, a.list(t, "mine"), 1)
}

// address is where the first instance of the exported scale set runs.
func (p *process) address(t *testing.T) string {
	t.Helper()
	a, set := p.azure(t), p.env["ARMSIM_SCALE_SET"]
	require.Eventually(t, func() bool {
		for _, i := range a.list(t, set) {
			for _, status := range i.Properties.InstanceView.Statuses {
				if strings.EqualFold(*status.Code, "PowerState/running") {
					return true
				}
			}
		}
		return false
	}, 20*time.Second, 10*time.Millisecond)
	page, err := a.interfaces.NewListVirtualMachineScaleSetNetworkInterfacesPager(a.group, set, nil).NextPage(t.Context())
	require.NoError(t, err)
	return *page.Value[0].Properties.IPConfigurations[0].Properties.PrivateIPAddress
}
