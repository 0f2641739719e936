package world

import (
	"cmp"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
)

// Usage is how much of a quota is used, in the words of Compute's list of usages
// (recording 32).
type Usage struct {
	Name    string
	Display string
	Current int
	Limit   int // 0: none
}

// Usages are those of the location, from the instances and scale sets that there
// are.
func (w *World) Usages() []Usage {
	sets, machines := 0, 0
	for set := range w.scaleSets() {
		if !set.Standalone() {
			sets++
		}
		machines += len(set.Instances)
	}
	all := []Usage{
		{"availabilitySets", "Availability Sets", 0, 2500},
		{"cores", "Total Regional vCPUs", w.coresUsed(), w.config.CoreQuota},
		{"virtualMachines", "Virtual Machines", machines, 25000},
		{"virtualMachineScaleSets", "Virtual Machine Scale Sets", sets, 2500},
		{catalog.LowPriorityCores, "Total Regional Spot vCPUs", w.spotCoresUsed(), w.Catalog.Quota(catalog.LowPriorityCores)},
	}
	for _, family := range w.Catalog.Families() {
		all = append(all, Usage{family, familyDisplay(family), w.familyUsed(family), w.Catalog.Quota(family)})
	}
	return all
}

// familyDisplay makes "Standard DSv5 Family vCPUs" of "standardDSv5Family".
func familyDisplay(family string) string {
	series := strings.TrimSuffix(strings.TrimPrefix(family, "standard"), "Family")
	return "Standard " + series + " Family vCPUs"
}

// demand is for further instances of a size, or for another size of ones that there are.
type demand struct {
	size string
	spot bool
	n    int
	was  string // the size that they have; empty: they are further ones
}

// checkQuota refuses further instances that a quota has no room for; nil: all have. Spot
// instances count against a quota of their own alone (Microsoft's page on Spot virtual
// machines).
func (w *World) checkQuota(wanted ...demand) *Failure {
	var quotas []Usage
	required := map[string]int{}
	need := func(q Usage, cores int) {
		if cores <= 0 {
			return
		}
		if required[q.Name] == 0 {
			quotas = append(quotas, q)
		}
		required[q.Name] += cores
	}
	for _, d := range wanted {
		cores, given := d.n*w.cores(d.size), 0
		if d.was != "" {
			given = d.n * w.cores(d.was)
		}
		if d.spot {
			need(Usage{"LowPriorityCores", "", w.spotCoresUsed(), w.Catalog.Quota(catalog.LowPriorityCores)}, cores-given)
			continue
		}
		need(Usage{"Total Regional Cores", "", w.coresUsed(), w.config.CoreQuota}, cores-given)
		if s, ok := w.Catalog.Size(d.size); ok {
			if was, _ := w.Catalog.Size(d.was); was.Family != s.Family {
				given = 0
			}
			need(Usage{s.Family + " Cores", "", w.familyUsed(s.Family), w.Catalog.Quota(s.Family)}, cores-given)
		}
	}
	for _, q := range quotas {
		if more := required[q.Name]; q.Limit > 0 && q.Current+more > q.Limit {
			return coreQuotaExceeded(q.Name, q.Limit, q.Current, more, w.config.Location)
		}
	}
	return nil
}

// coreQuotaExceeded has the words of recording 38; those of a family and of Spot
// are reported (karpenter-provider-azure#192, scylla-cluster-tests#4994).
func coreQuotaExceeded(quota string, limit, used, required int, location string) *Failure {
	return &Failure{"OperationNotAllowed", fmt.Sprintf(
		"Operation could not be completed as it results in exceeding approved %s quota. Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d.",
		quota, location, limit, used, required, used+required)}
}

// SetCoreQuota changes the regional limit of vCPUs; 0 ends it. What exists
// stays.
func (w *World) SetCoreQuota(n int) { w.config.CoreQuota = max(0, n) }

// coresUsed counts the vCPUs of all instances against the regional quota.
func (w *World) coresUsed() int {
	return w.coresOf(func(i *Instance) bool { return !i.Spot() })
}

func (w *World) spotCoresUsed() int { return w.coresOf((*Instance).Spot) }

func (w *World) familyUsed(family string) int {
	return w.coresOf(func(i *Instance) bool {
		s, ok := w.Catalog.Size(i.Size)
		return ok && s.Family == family && !i.Spot()
	})
}

// coresOf counts vCPUs; surplus instances count against no quota, and deallocated ones
// neither.
func (w *World) coresOf(counts func(*Instance) bool) int {
	used := 0
	for i := range w.instances() {
		if !i.extra && i.usesQuota() && counts(i) {
			used += w.cores(i.Size)
		}
	}
	return used
}

// cores are the vCPUs of a size; of one that is not in the catalogue, what its
// name says.
func (w *World) cores(size string) int {
	s, _ := w.Catalog.Size(size)
	return cmp.Or(s.VCPUs, cores(size))
}

// usesQuota reports whether the instance's vCPUs count. Those of a deallocated one do not:
// quota is for cores in use, as is reported; one of Microsoft's pages says otherwise.
func (i *Instance) usesQuota() bool {
	return i.Power != PowerDeallocated || i.world().config.Unknowns.DeallocatedKeepsQuota
}
