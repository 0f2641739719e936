package armapi

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const setBody = `{"id":"/s/ci","name":"ci","tags":{"owner":"ci"},"etag":"\"7\"",
"sku":{"name":"Standard_D2s_v5","capacity":0},"properties":{"uniqueId":"u","orchestrationMode":"Uniform","provisioningState":"Succeeded",
"singlePlacementGroup":true,"overprovision":true,
"upgradePolicy":{"mode":"Rolling","automaticOSUpgradePolicy":{"enableAutomaticOSUpgrade":true}},
"automaticRepairsPolicy":{"enabled":true},"spotRestorePolicy":{"enabled":true},
"resiliencyPolicy":{"resilientVMCreationPolicy":{"enabled":true}},
"scaleInPolicy":{"forceDeletion":true,"rules":["NewestVM"]},
"virtualMachineProfile":{"priority":"Spot","evictionPolicy":"Delete",
"scheduledEventsProfile":{"terminateNotificationProfile":{"enable":true}},
"osProfile":{"adminUsername":"runner","linuxConfiguration":{"disablePasswordAuthentication":true,"ssh":{"publicKeys":[{"path":"/p","keyData":"ssh-ed25519 AAAA me\r\n"},{},null]}}},
"storageProfile":{"osDisk":{"osType":"Linux"},"imageReference":{"id":"/subscriptions/x/resourceGroups/g/providers/microsoft.compute/images/i"}},
"networkProfile":{"networkInterfaceConfigurations":[{"name":"a"},{"name":"b","properties":{"primary":true,"ipConfigurations":[
{"name":"c","properties":{"publicIPAddressConfiguration":{"name":"p"}}}]}}]}}}}`

const vmBody = `{"id":"/s/ci/virtualMachines/3","name":"ci_3","instanceId":"3","properties":{"vmId":"v",
"osProfile":{"adminUsername":"a","linuxConfiguration":{"ssh":{"publicKeys":[{"path":"/p","keyData":"ssh-ed25519 AAAA me"},{},null]}}},
"provisioningState":"Failed","instanceView":{"statuses":[null,{"code":"POWERSTATE/Running"},
{"code":"ProvisioningState/failed/AllocationFailed","message":"No room.\r\nSorry."}]}}}`

const nicBody = `{"id":"n","properties":{"primary":true,"virtualMachine":{"id":"/S/Ci/virtualMachines/3"},"ipConfigurations":[null,
{"properties":{"privateIPAddress":"10.0.0.4","publicIPAddress":{"id":"/S/PIP"}}}]}}`

const addressBody = `{"id":"/S/PIP","properties":{"ipAddress":"20.1.2.3"}}`

func decode[T any](t require.TestingT, body string) T {
	var v T
	require.NoError(t, json.Unmarshal([]byte(body), &v))
	return v
}

func TestScaleSetOf(t *testing.T) {
	assert.Equal(t, vmss.ScaleSet{
		ID: "/s/ci", Name: "ci", UniqueID: "u", ETag: `"7"`, Size: "Standard_D2s_v5", HasCapacity: true,
		Mode: vmss.Uniform, ProvisioningState: "Succeeded", Tags: map[string]string{"owner": "ci"},
		Model: vmss.Model{
			OSType: "Linux", Login: vmss.Login{AdminUsername: "runner", PasswordDisabled: true, PublicKeys: []vmss.PublicKey{{Path: "/p", Data: "ssh-ed25519 AAAA me\r\n"}}}, HasPublicAddress: true,
			SingleGroup: true, ManagedImage: true, Overprovision: true,
			Upgrade: vmss.Upgrade{Mode: "Rolling", AutomaticOS: true}, AutomaticRepairs: true,
			Spot: vmss.Spot{Priority: "Spot", EvictionPolicy: "Delete", Restore: true}, ResilientCreation: true,
			TerminateNotice: true, ScaleIn: vmss.ScaleIn{Forced: true, Rules: []string{"NewestVM"}}, Fingerprint: "60fa2345",
		},
	}, scaleSetOf(decode[armcompute.VirtualMachineScaleSet](t, setBody)))
	assert.False(t, isManagedImage("/subscriptions/x/resourceGroups/g/providers/Microsoft.Compute/galleries/q/images/i"))
	assert.False(t, scaleSetOf(armcompute.VirtualMachineScaleSet{SKU: &armcompute.SKU{}}).HasCapacity)
}

func TestWinRMListeners(t *testing.T) {
	for listeners, want := range map[string]vmss.WinRM{
		`[{"protocol":"Https","certificateUrl":"https://v/secrets/c/1"}]`: {HTTPS: true},
		`[{"protocol":"HTTP"},null,{"protocol":"https"}]`:                 {HTTP: true, HTTPS: true},
		`[{"protocol":"Http"}]`:                                           {HTTP: true},
		`[]`:                                                              {}, `null`: {}, `[{}]`: {},
	} {
		body := `{"properties":{"virtualMachineProfile":{"osProfile":{"windowsConfiguration":{"winRM":{"listeners":` + listeners + `}}}}}}`
		got := scaleSetOf(decode[armcompute.VirtualMachineScaleSet](t, body)).Model
		assert.Equal(t, want, got.Login.WinRM, listeners)
		assert.Equal(t, "Windows", got.OSType)
		assert.Equal(t, want != vmss.WinRM{}, got.Login.WinRM.Any())
	}
}

func TestInstanceOf(t *testing.T) {
	assert.Equal(t, vmss.Instance{
		ID: "/s/ci/virtualMachines/3", Name: "ci_3", InstanceID: "3", VMID: "v", ProvisioningState: "Failed", HasView: true,
		PowerState: "running", Failure: "AllocationFailed: No room. Sorry", SSHKeys: []vmss.KeyID{vmss.KeyIDOf([]byte("ssh-ed25519 AAAA")), 0, 0},
	}, instanceOf(decode[machine](t, vmBody)))
	assert.Zero(t, instanceOf(machine{}))
	assert.Equal(t, "why", failure([]status{{Code: "ProvisioningState/failed", Message: "why"}}))
}

// Where the model is missing, nothing is known of its keys; where it has none, that is so.
func TestKeysOfInstances(t *testing.T) {
	for body, known := range map[string]bool{
		`{}`: false, `{"properties":{}}`: false, `{"properties":{"osProfile":null}}`: false, `{"properties":{"osProfile":{}}}`: true,
		`{"properties":{"osProfile":{"windowsConfiguration":{}}}}`: true, `{"properties":{"osProfile":{"linuxConfiguration":{"ssh":{"publicKeys":null}}}}}`: true,
	} {
		keys := instanceOf(decode[machine](t, body)).SSHKeys
		assert.Equal(t, known, keys != nil, body)
		assert.Empty(t, keys)
	}
}

func TestAddresses(t *testing.T) {
	nic, ok := interfaceOf(decode[networkInterface](t, nicBody))
	assert.True(t, ok)
	assert.Equal(t, vmss.Interface{
		VMID: "/s/ci/virtualmachines/3", Primary: true,
		Configs: []vmss.IPConfig{{Primary: true, Private: netip.MustParseAddr("10.0.0.4"), PublicID: "/s/pip"}},
	}, nic)
	ready := decode[publicAddress](t, addressBody)
	assert.Equal(t, map[string]netip.Addr{"/s/pip": netip.MustParseAddr("20.1.2.3")},
		addressesOf([]*publicAddress{&ready, {ID: "/s/none"}}))
}

// dropFields drops members at random, or sets them to null.
func dropFields(r *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(v) {
			switch rapid.IntRange(0, 9).Draw(r, k) {
			case 0:
				delete(v, k)
			case 1:
				v[k] = nil
			default:
				v[k] = dropFields(r, v[k])
			}
		}
	case []any:
		for i := range v {
			v[i] = dropFields(r, v[i])
		}
	}
	return v
}

func TestAnythingMayBeMissing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		one := func(body string) string {
			out, err := json.Marshal(dropFields(r, decode[any](r, body)))
			require.NoError(r, err)
			return string(out)
		}
		scaleSetOf(decode[armcompute.VirtualMachineScaleSet](r, one(setBody)))
		instanceOf(decode[machine](r, one(vmBody)))
		interfaceOf(decode[networkInterface](r, one(nicBody)))
		flexibleInstanceOf(decode[machine](r, one(machineBody)))
		p := decode[publicAddress](r, one(addressBody))
		addressesOf([]*publicAddress{&p})
	})
}

// TestFieldsAreNamedAsInTheSDK: what the SDK writes is read, field by field, so that
// a name mistyped here, or changed there, is found.
func TestFieldsAreNamedAsInTheSDK(t *testing.T) {
	view := func() []*armcompute.InstanceViewStatus {
		return []*armcompute.InstanceViewStatus{
			{Code: to.Ptr("PowerState/stopped")}, {Code: to.Ptr("ProvisioningState/failed/Code"), Message: to.Ptr("why")},
		}
	}
	want := vmss.Instance{
		ID: "/s/ci_3", Name: "ci_3", InstanceID: "3", VMID: "v", ProvisioningState: "Failed",
		HasView: true, PowerState: "stopped", Failure: "Code: why", SSHKeys: []vmss.KeyID{vmss.KeyIDOf([]byte("AAAA"))},
	}
	profile := &armcompute.OSProfile{LinuxConfiguration: &armcompute.LinuxConfiguration{SSH: &armcompute.SSHConfiguration{
		PublicKeys: []*armcompute.SSHPublicKey{{KeyData: to.Ptr("ssh-rsa AAAA")}},
	}}}
	assert.Equal(t, want, instanceOf(reread[machine](t, armcompute.VirtualMachineScaleSetVM{
		ID: to.Ptr("/s/ci_3"), Name: to.Ptr("ci_3"), InstanceID: to.Ptr("3"), Properties: &armcompute.VirtualMachineScaleSetVMProperties{
			VMID: to.Ptr("v"), ProvisioningState: to.Ptr("Failed"), OSProfile: profile,
			InstanceView: &armcompute.VirtualMachineScaleSetVMInstanceView{Statuses: view()},
		},
	})))

	m := reread[machine](t, armcompute.VirtualMachine{
		ID: to.Ptr("/s/ci_3"), Name: to.Ptr("ci_3"), Properties: &armcompute.VirtualMachineProperties{
			VMID: to.Ptr("v"), ProvisioningState: to.Ptr("Failed"), VirtualMachineScaleSet: &armcompute.SubResource{ID: to.Ptr("/set")}, OSProfile: profile,
			InstanceView: &armcompute.VirtualMachineInstanceView{Statuses: view(), IsVMInStandbyPool: to.Ptr(true)},
		},
	})
	want.InstanceID = "ci_3"
	assert.Equal(t, want, flexibleInstanceOf(m))
	assert.Equal(t, "/set", m.Properties.ScaleSet.ID)
	assert.True(t, inStandbyPool(m))
}

func TestNetworkFieldsAreNamedAsInTheSDK(t *testing.T) {
	nic, ok := interfaceOf(reread[networkInterface](t, armnetwork.Interface{Properties: &armnetwork.InterfacePropertiesFormat{
		Primary: to.Ptr(true), VirtualMachine: &armnetwork.SubResource{ID: to.Ptr("/vm")},
		IPConfigurations: []*armnetwork.InterfaceIPConfiguration{
			{Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{PrivateIPAddress: to.Ptr("fd00::4")}},
			{Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
				Primary: to.Ptr(true), PrivateIPAddress: to.Ptr("10.0.0.4"), PublicIPAddress: &armnetwork.PublicIPAddress{ID: to.Ptr("/pip")},
			}},
		},
	}}))
	assert.True(t, ok)
	assert.Equal(t, vmss.Interface{VMID: "/vm", Primary: true, Configs: []vmss.IPConfig{
		{Private: netip.MustParseAddr("fd00::4")}, {Primary: true, Private: netip.MustParseAddr("10.0.0.4"), PublicID: "/pip"},
	}}, nic)
	address := reread[publicAddress](t, armnetwork.PublicIPAddress{
		ID: to.Ptr("/pip"), Properties: &armnetwork.PublicIPAddressPropertiesFormat{IPAddress: to.Ptr("20.1.2.3")},
	})
	assert.Equal(t, map[string]netip.Addr{"/pip": netip.MustParseAddr("20.1.2.3")}, addressesOf([]*publicAddress{&address}))
}

// reread writes what the SDK has and reads it as this package does.
func reread[T any](t *testing.T, resource any) T {
	t.Helper()
	body, err := json.Marshal(resource)
	require.NoError(t, err)
	return decode[T](t, string(body))
}
