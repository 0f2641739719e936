package binary_test

import (
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

func profileOf(model map[string]any) map[string]any {
	return model["properties"].(map[string]any)["virtualMachineProfile"].(map[string]any)
}

func windows(model map[string]any) {
	os := profileOf(model)["osProfile"].(map[string]any)
	delete(os, "linuxConfiguration")
	os["windowsConfiguration"] = launch.PluginConfig{"winRM": launch.PluginConfig{"listeners": []any{launch.PluginConfig{"protocol": "Http"}}}}
	profileOf(model)["storageProfile"] = launch.PluginConfig{"imageReference": launch.PluginConfig{
		"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2025-Datacenter", "version": "latest"}}
}

// windowsHTTPS has a WinRM listener for HTTPS alone.
func windowsHTTPS(model map[string]any) {
	windows(model)
	listener := launch.PluginConfig{"protocol": "Https", "certificateUrl": "https://vault.vault.azure.net/secrets/winrm/1"}
	profileOf(model)["osProfile"].(map[string]any)["windowsConfiguration"] = launch.PluginConfig{"winRM": launch.PluginConfig{"listeners": []any{listener}}}
}

// manyAddresses gives an instance a second interface that comes first, and an
// IPv6 address before the IPv4 one.
func manyAddresses(model map[string]any) {
	network := profileOf(model)["networkProfile"].(map[string]any)
	primary := network["networkInterfaceConfigurations"].([]any)[0].(map[string]any)
	properties := primary["properties"].(map[string]any)
	four := properties["ipConfigurations"].([]any)[0].(map[string]any)
	subnet := four["properties"].(map[string]any)["subnet"]
	six := launch.PluginConfig{"name": "six", "properties": launch.PluginConfig{"subnet": subnet, "privateIPAddressVersion": "IPv6"}}
	properties["ipConfigurations"] = []any{six, four}
	second := launch.PluginConfig{"name": "second", "properties": launch.PluginConfig{"primary": false, "ipConfigurations": []any{
		launch.PluginConfig{"name": "one", "properties": launch.PluginConfig{"subnet": subnet, "primary": true}}}}}
	network["networkInterfaceConfigurations"] = []any{second, primary}
}

// TestModels connects to instances of models that differ from the plain one.
func TestModels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(map[string]any)
		size   string
		want   provider.ConnectorConfig
	}{
		"windows":   {windows, "Standard_D4s_v5", provider.ConnectorConfig{OS: "windows", Arch: "amd64", Protocol: provider.ProtocolWinRM}},
		"https":     {windowsHTTPS, "Standard_D4s_v5", provider.ConnectorConfig{OS: "windows", Arch: "amd64", Protocol: provider.ProtocolWinRMHttps}},
		"arm64":     {nil, "Standard_D4ps_v5", provider.ConnectorConfig{OS: "linux", Arch: "arm64", Protocol: provider.ProtocolSSH}},
		"addresses": {manyAddresses, "", provider.ConnectorConfig{OS: "linux", Arch: "amd64", Protocol: provider.ProtocolSSH}},
	} {
		for mode := range modes {
			t.Run(mode+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{
					Name: "ci", Capacity: 1, Size: c.size, AdminPassword: launch.Login().Password, OrchestrationMode: mode, Change: c.change})
				p := launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"))
				given := launch.Login()
				given.Username, given.UseStaticCredentials = "", false
				_, err := p.Init(t.Context(), hclog.NewNullLogger(), given)
				require.NoError(t, err)
				info, err := p.ConnectInfo(t.Context(), p.AwaitRunning(t, 1)[0])
				require.NoError(t, err)
				assert.Equal(t, "azureuser", info.Username)
				assert.Equal(t, c.want, provider.ConnectorConfig{OS: info.OS, Arch: info.Arch, Protocol: info.Protocol})
				assert.Equal(t, s.Instances()[0].PrivateAddress, info.InternalAddr, "the primary interface's IPv4 address")
			})
		}
	}
}
