package doctor_test

import (
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
)

func sized(name string) step { return patches(body{"sku": body{"name": name}}) }

func offers(change armsim.CatalogChanges) step {
	return func(p *place) error { return p.sim.ChangeCatalog(change) }
}

func quota(name string, cores int) step {
	return offers(armsim.CatalogChanges{Quotas: map[string]int{name: cores}})
}

// sizeCases are about sizes and what is left of quotas.
func sizeCases() map[string]cloudCase {
	const family, spot = "standardDSv5Family", "lowPriorityCores"
	none := func(*place) error { return nil }
	zones := func(s *setup.Spec) { s.Zones = []string{"1", "2"} }
	ephemeral := func(s *setup.Spec) { s.Ephemeral, s.Sizes = true, []string{"Standard_D2ds_v5"} }
	restrict := func(zones ...string) step {
		return offers(armsim.CatalogChanges{Restrictions: []armsim.SizeRestriction{{Size: setup.DefaultSize, Zones: zones}}})
	}
	return map[string]cloudCase{
		"quota of the region": {
			config: armsim.Config{CoreQuota: 8}, broken: none, fixed: edits("max_instances = 10", "max_instances = 4"),
			check: "quota", level: doctor.Warning, text: "the quota cores leaves room for 4 (0 of 8 vCPUs are used)", fix: "max_instances = 4",
		},
		"quota of the family": {
			broken: quota(family, 6), fixed: edits("max_instances = 10", "max_instances = 3"),
			check: "quota", level: doctor.Warning, text: "the quota " + family + " leaves room for 3", fix: "max_instances = 3",
		},
		"no quota of the family": {
			broken: quota(family, 1), fixed: quota(family, 20),
			check: "quota", level: doctor.Fault, text: "leaves room for 0", fix: "ask for more",
		},
		"quota of Spot": {
			spec: onSpot, broken: quota(spot, 10), fixed: edits("max_instances = 10", "max_instances = 5"),
			check: "quota", level: doctor.Warning, text: "the quota " + spot + " leaves room for 5", fix: "max_instances = 5",
		},
		"no quota of Spot": {
			spec: onSpot, broken: quota(spot, 1), fixed: quota(spot, 20),
			check: "quota", level: doctor.Fault, text: "the quota " + spot + " leaves room for 0", fix: "ask for more",
		},
		"a size that is gone": {
			broken: offers(armsim.CatalogChanges{Without: []string{setup.DefaultSize}}), fixed: sized("Standard_D4s_v5"),
			check: "size", level: doctor.Fault, text: "Standard_D2s_v5 is not offered in westeurope", fix: "az vm list-skus --location westeurope",
		},
		"a misspelt size": {
			broken: sized("Standard_D2sv5"), fixed: sized(setup.DefaultSize),
			check: "size", level: doctor.Fault, text: "Standard_D2sv5 is not offered", fix: "az vm list-skus",
		},
		"a size that is restricted": {
			broken: restrict(), fixed: sized("Standard_D4s_v5"),
			check: "size", level: doctor.Fault, text: "restricted for this subscription in westeurope (NotAvailableForSubscription)", fix: "another size",
		},
		"a size that is restricted in a zone": {
			spec: zones, broken: restrict("2"), fixed: sized("Standard_D4s_v5"),
			check: "size", level: doctor.Fault, text: "NotAvailableForSubscription in a zone", fix: "another size",
		},
		"a size that is no Spot": {
			spec: onSpot, broken: sized("Standard_B2s"), fixed: sized("Standard_D2s_v5"),
			check: "size", level: doctor.Fault, text: "Standard_B2s is not offered as Spot", fix: "another size",
		},
		"a size without ephemeral disks": {
			spec: ephemeral, broken: sized("Standard_D2s_v5"), fixed: sized("Standard_D2ds_v5"),
			check: "size", level: doctor.Fault, text: "takes no ephemeral OS disk", fix: "Standard_D2ds_v5",
		},
	}
}
