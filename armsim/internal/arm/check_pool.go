package arm

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// poolOrder is what a client asks of a pool.
type poolOrder struct {
	call     poolCall
	location string
	set      *world.ScaleSet
	kept     string
	least    int
	most     int
}

func (o *poolOrder) write(g *world.Group, pool *world.StandbyPool) (*response, *problem) {
	if pool != nil {
		if p := o.call.precondition(pool.ETag()); p != nil {
			return nil, p
		}
		o.set, o.kept, o.least, o.most = pool.Set, pool.Kept, pool.Least, pool.Most
	}
	for _, step := range []func() *problem{o.read, o.checkFigures, o.checkSet} {
		if p := step(); p != nil {
			return nil, p
		}
	}
	name := o.call.param("pool")
	if other := o.set.Pool(); other != nil && !strings.EqualFold(other.Name, name) {
		return nil, badPool("The scale set '%s' has a standby pool already: '%s'.", o.set.Name, other.Name)
	}
	return o.call.shown(g.PutPool(name, o.location, o.set, o.kept, o.least, o.most)), nil
}

func (o *poolOrder) read() *problem {
	p, _ := o.call.body["properties"].(object)
	if id := jsonmap.Text(p, "attachedVirtualMachineScaleSetId"); id != "" {
		if o.set = o.call.world.ScaleSetByID(id); o.set == nil {
			return badPool("The scale set '%s' is not there.", id)
		}
	}
	if kept := jsonmap.Text(p, "virtualMachineState"); kept != "" {
		o.kept = kept
	}
	if most, ok := jsonmap.At(p, "elasticityProfile.maxReadyCapacity").(float64); ok {
		o.most = int(most)
	}
	if least, ok := jsonmap.At(p, "elasticityProfile.minReadyCapacity").(float64); ok {
		o.least = int(least)
	}
	return nil
}

var poolName = regexp.MustCompile(`^[A-Za-z0-9-]{3,24}$`)

const mostInPool = 2000

func (o *poolOrder) checkFigures() *problem {
	known := []string{world.PoolRunning, world.PoolDeallocated, world.PoolHibernated}
	n := slices.IndexFunc(known, func(one string) bool { return strings.EqualFold(one, o.kept) })
	switch {
	case !poolName.MatchString(o.call.param("pool")):
		return badPool("The name '%s' must have 3 to 24 letters, digits and dashes.", o.call.param("pool"))
	case n < 0:
		return badPool("The value '%s' of 'virtualMachineState' is invalid.", o.kept)
	case o.least < 0 || o.most < o.least || o.most > mostInPool:
		return badPool("The capacities %d and %d must be from 0 to %d, and the least not above the most.", o.least, o.most, mostInPool)
	}
	o.kept = known[n]
	return nil
}

func (o *poolOrder) checkSet() *problem {
	switch {
	case o.set == nil:
		return badPool("Required parameter 'attachedVirtualMachineScaleSetId' is missing (null).")
	case o.set.Uniform():
		return badPool("The scale set '%s' has the orchestration mode Uniform; standby pools need Flexible.", o.set.Name)
	case o.set.Profile() == nil:
		return badPool("The scale set '%s' has no virtual machine profile, from which a standby pool makes virtual machines.", o.set.Name)
	case jsonmap.At(o.set.Model, "properties.platformFaultDomainCount") != float64(1):
		return badPool("The scale set '%s' must have one fault domain.", o.set.Name)
	case o.set.Mixes():
		return badPool("The scale set '%s' has an instance mix, with which standby pools do not work.", o.set.Name)
	case o.kept != world.PoolRunning && jsonmap.At(o.set.Profile(), "storageProfile.osDisk.diffDiskSettings") != nil:
		return badPool("The scale set '%s' has ephemeral OS disks, which only a pool of running machines may have.", o.set.Name)
	case o.kept == world.PoolHibernated && !o.set.CanHibernate():
		return badPool("The scale set '%s' is not enabled for hibernation.", o.set.Name)
	}
	return nil
}

func badPool(format string, args ...any) *problem {
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidRequest", format, args...)
}
