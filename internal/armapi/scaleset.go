package armapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// ScaleSet implements vmss.Client.
func (c *Client) ScaleSet(ctx context.Context) (set vmss.ScaleSet, err error) {
	err = c.read(ctx, "read", func(ctx context.Context) error {
		var raw *http.Response
		r, err := c.sets.Get(policy.WithCaptureResponse(ctx, &raw), c.group, c.name, nil)
		if err != nil {
			return err
		}
		if r.ID == nil {
			return errNoID
		}
		set = scaleSetOf(r.VirtualMachineScaleSet)
		c.mixed.Store(strings.EqualFold(set.Size, mix))
		if set.ETag == "" && raw != nil {
			set.ETag = raw.Header.Get("ETag")
		}
		return nil
	})
	return set, err
}

func scaleSetOf(s armcompute.VirtualMachineScaleSet) vmss.ScaleSet {
	sku, p := val(s.SKU), val(s.Properties)
	set := vmss.ScaleSet{
		ID:                val(s.ID),
		Name:              val(s.Name),
		UniqueID:          val(p.UniqueID),
		ETag:              val(s.Etag),
		Size:              val(sku.Name),
		Sizes:             sizesOf(val(p.SKUProfile)),
		Capacity:          val(sku.Capacity),
		HasCapacity:       sku.Capacity != nil,
		Mode:              modeOf(p),
		ProvisioningState: val(p.ProvisioningState),
		Tags:              tagsOf(s.Tags),
		Model:             modelOf(p),
	}
	set.Model.Fingerprint = fingerprint(set, p)
	return set
}

// mix is the SKU of a scale set of several sizes, an instance mix (Microsoft's page
// instance-mix-overview).
const mix = "Mix"

func sizesOf(p armcompute.SKUProfile) (sizes []string) {
	for _, size := range p.VMSizes {
		sizes = append(sizes, val(val(size).Name))
	}
	return sizes
}

// modeOf defaults to Uniform, as Azure does.
func modeOf(p armcompute.VirtualMachineScaleSetProperties) vmss.OrchestrationMode {
	if strings.EqualFold(string(val(p.OrchestrationMode)), string(vmss.Flexible)) {
		return vmss.Flexible
	}
	return vmss.Uniform
}

func tagsOf(tags map[string]*string) map[string]string {
	all := make(map[string]string, len(tags))
	for key, value := range tags {
		all[key] = val(value)
	}
	return all
}

func modelOf(p armcompute.VirtualMachineScaleSetProperties) vmss.Model {
	vm := val(p.VirtualMachineProfile)
	os, upgrade, scaleIn := val(vm.OSProfile), val(p.UpgradePolicy), val(p.ScaleInPolicy)
	linux, network := val(os.LinuxConfiguration), val(vm.NetworkProfile)
	return vmss.Model{
		OSType: osType(vm),
		Login: vmss.Login{
			AdminUsername:    val(os.AdminUsername),
			PasswordDisabled: val(linux.DisablePasswordAuthentication),
			PublicKeys:       publicKeys(val(linux.SSH)),
			WinRM:            winRM(val(val(os.WindowsConfiguration).WinRM)),
		},
		HasPublicAddress: hasPublicAddress(network),
		ManagedImage:     isManagedImage(val(val(val(vm.StorageProfile).ImageReference).ID)),
		SingleGroup:      val(p.SinglePlacementGroup),
		Overprovision:    val(p.Overprovision),
		Upgrade: vmss.Upgrade{
			Mode:        string(val(upgrade.Mode)),
			AutomaticOS: val(val(upgrade.AutomaticOSUpgradePolicy).EnableAutomaticOSUpgrade),
		},
		AutomaticRepairs: val(val(p.AutomaticRepairsPolicy).Enabled),
		Spot: vmss.Spot{
			Priority:       string(val(vm.Priority)),
			EvictionPolicy: string(val(vm.EvictionPolicy)),
			Restore:        val(val(p.SpotRestorePolicy).Enabled),
		},
		ResilientCreation: val(val(val(p.ResiliencyPolicy).ResilientVMCreationPolicy).Enabled),
		TerminateNotice:   val(val(val(vm.ScheduledEventsProfile).TerminateNotificationProfile).Enable),
		ScaleIn:           vmss.ScaleIn{Forced: val(scaleIn.ForceDeletion), Rules: toStrings(scaleIn.Rules)},
		Detached:          detached(network, val(vm.StorageProfile)),
		EphemeralDisk:     val(val(val(vm.StorageProfile).OSDisk).DiffDiskSettings).Option != nil,
		Hibernation:       val(val(p.AdditionalCapabilities).HibernationEnabled),
	}
}

func publicKeys(c armcompute.SSHConfiguration) []vmss.PublicKey {
	var all []vmss.PublicKey
	for _, key := range c.PublicKeys {
		if k := val(key); val(k.KeyData) != "" {
			all = append(all, vmss.PublicKey{Path: val(k.Path), Data: *k.KeyData})
		}
	}
	return all
}

func winRM(c armcompute.WinRMConfiguration) (w vmss.WinRM) {
	for _, l := range c.Listeners {
		protocol := string(val(val(l).Protocol))
		w.HTTP = w.HTTP || strings.EqualFold(protocol, string(armcompute.ProtocolTypesHTTP))
		w.HTTPS = w.HTTPS || strings.EqualFold(protocol, string(armcompute.ProtocolTypesHTTPS))
	}
	return w
}

// detached names the parts that outlive their instance; only Flexible scale sets
// can have such.
func detached(n armcompute.VirtualMachineScaleSetNetworkProfile, s armcompute.VirtualMachineScaleSetStorageProfile) []string {
	var all []string
	for _, nic := range n.NetworkInterfaceConfigurations {
		if strings.EqualFold(string(val(val(val(nic).Properties).DeleteOption)), "Detach") {
			all = append(all, val(val(nic).Name))
		}
	}
	if strings.EqualFold(string(val(val(s.OSDisk).DeleteOption)), "Detach") {
		all = append(all, "osDisk")
	}
	for _, disk := range s.DataDisks {
		if strings.EqualFold(string(val(val(disk).DeleteOption)), "Detach") {
			all = append(all, val(val(disk).Name))
		}
	}
	return all
}

func osType(vm armcompute.VirtualMachineScaleSetVMProfile) string {
	diskOS := string(val(val(val(vm.StorageProfile).OSDisk).OSType))
	os := val(vm.OSProfile)
	switch {
	case diskOS != "":
		return diskOS
	case os.WindowsConfiguration != nil:
		return "Windows"
	case os.LinuxConfiguration != nil:
		return "Linux"
	}
	return ""
}

// hasPublicAddress looks at the primary IP configuration of the primary
// interface, to which a runner connects.
func hasPublicAddress(n armcompute.VirtualMachineScaleSetNetworkProfile) bool {
	nic := primary(n.NetworkInterfaceConfigurations, func(c armcompute.VirtualMachineScaleSetNetworkConfiguration) bool {
		return val(val(c.Properties).Primary)
	})
	ip := primary(val(nic.Properties).IPConfigurations, func(c armcompute.VirtualMachineScaleSetIPConfiguration) bool {
		return val(val(c.Properties).Primary)
	})
	return val(ip.Properties).PublicIPAddressConfiguration != nil
}

// primary returns the entry that is marked as primary, or else the first one.
func primary[T any](list []*T, marked func(T) bool) T {
	for _, e := range list {
		if e != nil && marked(*e) {
			return *e
		}
	}
	for _, e := range list {
		if e != nil {
			return *e
		}
	}
	return val[T](nil)
}

// isManagedImage reports whether id is …/Microsoft.Compute/images/x, as opposed to
// …/galleries/g/images/x.
func isManagedImage(id string) bool {
	return strings.Contains(strings.ToLower(id), "/providers/microsoft.compute/images/")
}

func toStrings[T ~string](list []*T) []string {
	var all []string
	for _, e := range list {
		if e != nil {
			all = append(all, string(*e))
		}
	}
	return all
}
