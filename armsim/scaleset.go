package armsim

import (
	"cmp"
	"context"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

type object = jsonmap.Object

// ScaleSetSpec is a scale set in a few words; CreateScaleSet makes it.
type ScaleSetSpec struct {
	Name          string
	Capacity      int
	Size          string // VM size; empty: Standard_D2s_v5
	AdminUsername string // empty: azureuser
	AdminPassword string // empty: password login is off
	PublicKey     string // in authorized_keys form
	PublicAddress bool   // each instance gets one

	OrchestrationMode string   // Uniform or Flexible; empty: Uniform
	Priority          string   // Regular or Spot; empty: Regular
	EvictionPolicy    string   // of Spot; empty: Deallocate
	Zones             []string // empty: none

	// Change may alter the model before it is sent.
	Change func(model map[string]any)
}

// CreateScaleSet makes a scale set through the API, as any client would, and
// returns its resource ID. It returns at acceptance.
func (s *Server) CreateScaleSet(ctx context.Context, spec ScaleSetSpec) (string, error) {
	model := spec.model(s.config, s.defaultImage(spec.Size))
	if spec.Change != nil {
		spec.Change(model)
	}
	path := s.ScaleSetPath(spec.Name)
	return path, s.Put(ctx, path, s.ComputeVersion(), model)
}

// ComputeVersion is an api-version of Microsoft.Compute that the simulator takes.
func (s *Server) ComputeVersion() string {
	for provider, newest := range s.config.NewestAPIVersion {
		if strings.EqualFold(provider, "Microsoft.Compute") {
			return newest
		}
	}
	return "2025-04-01"
}

// defaultImage is Ubuntu for the architecture of a size.
func (s *Server) defaultImage(size string) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	sku := "server"
	if known, _ := s.world.Catalog.Size(size); known.Architecture == catalog.Arm64 {
		sku = "server-arm64"
	}
	return object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": sku, "version": "latest"}
}

func (p ScaleSetSpec) model(c Config, image object) object {
	size, user := p.Size, p.AdminUsername
	if size == "" {
		size = "Standard_D2s_v5"
	}
	if user == "" {
		user = "azureuser"
	}
	linux := object{"disablePasswordAuthentication": p.AdminPassword == ""}
	if p.PublicKey != "" {
		linux["ssh"] = object{"publicKeys": []any{object{"path": "/home/" + user + "/.ssh/authorized_keys", "keyData": p.PublicKey}}}
	}
	os := object{"computerNamePrefix": p.Name, "adminUsername": user, "linuxConfiguration": linux}
	if p.AdminPassword != "" {
		os["adminPassword"] = p.AdminPassword
	}
	ip := object{"subnet": object{"id": "/subscriptions/" + c.SubscriptionID + "/resourceGroups/" + c.ResourceGroup + "/providers/Microsoft.Network/virtualNetworks/ci/subnets/runners"}, "primary": true}
	if p.PublicAddress {
		ip["publicIPAddressConfiguration"] = object{"name": "public", "properties": object{"idleTimeoutInMinutes": 4}}
	}
	nic := object{"name": "nic", "properties": object{"primary": true, "ipConfigurations": []any{object{"name": "ipconfig", "properties": ip}}}}
	profile := object{
		"osProfile":      os,
		"storageProfile": object{"imageReference": image},
		"networkProfile": object{"networkInterfaceConfigurations": []any{nic}},
	}
	model := object{
		"location": c.Location,
		"sku":      object{"name": size, "capacity": p.Capacity},
		"properties": object{
			"orchestrationMode": cmp.Or(p.OrchestrationMode, "Uniform"), "singlePlacementGroup": false, "virtualMachineProfile": profile,
		},
	}
	p.place(model, profile)
	return model
}

// place adds what depends on mode, priority and zones.
func (p ScaleSetSpec) place(model, profile object) {
	properties := model["properties"].(object)
	if strings.EqualFold(p.OrchestrationMode, "Flexible") {
		properties["platformFaultDomainCount"] = 1
		profile["networkProfile"].(object)["networkApiVersion"] = "2020-11-01" // a Flexible set demands one (azure-cli#17830)
	} else {
		properties["overprovision"], properties["upgradePolicy"] = false, object{"mode": "Manual"}
	}
	if p.Priority != "" {
		profile["priority"] = p.Priority
	}
	if p.EvictionPolicy != "" {
		profile["evictionPolicy"] = p.EvictionPolicy
	}
	if len(p.Zones) == 0 {
		return
	}
	zones := []any{}
	for _, zone := range p.Zones {
		zones = append(zones, zone)
	}
	model["zones"] = zones
}
