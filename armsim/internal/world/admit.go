package world

import "slices"

// What a write is checked against before it is accepted: the quotas, and the stocks that
// refuse at once.

// Admit refuses a capacity for which a quota has no room, or Azure no place; nil: go on.
func (s *ScaleSet) Admit(capacity int) *Failure {
	missing := s.missing(capacity)
	if f := s.world().checkQuota(s.demand(s.upcoming(missing - s.runningInPool()))...); f != nil {
		return f
	}
	return s.world().refuse(s.upcoming(missing - s.readyInPool()))
}

// AdmitMachine refuses a virtual machine outside of scale sets for which a quota has no
// room; nil: go on. No stock is looked at.
func (w *World) AdmitMachine(size, priority string) *Failure {
	return w.checkQuota(demand{size: size, spot: IsSpot(priority), n: 1})
}

// demand is what instances there need of the quotas.
func (s *ScaleSet) demand(places []placement) []demand {
	spot := IsSpot(s.priority())
	var all []demand
	for _, p := range places {
		if n := len(all); n > 0 && all[n-1].size == p.size {
			all[n-1].n++
			continue
		}
		all = append(all, demand{size: p.size, spot: spot, n: 1})
	}
	return all
}

// upcoming is where the next n new instances would be.
func (s *ScaleSet) upcoming(n int) []placement {
	var all []placement
	for k := range max(0, n) {
		zone := s.zoneOf(s.placed + k)
		all = append(all, placement{s.Name, s.chooseSize(zone, all), zone})
	}
	return all
}

// CheckPower refuses a power action that one of the instances cannot have; nil: go on.
// That the lack of one refuses all is believed.
func (w *World) CheckPower(a PowerAction, targets []*Instance) *Failure {
	for _, i := range targets {
		if f := i.checkPower(a); f != nil {
			return f
		}
	}
	if a.after != PowerRunning {
		return nil
	}
	var wanted []demand
	var places []placement
	for _, i := range targets {
		if !i.usesQuota() {
			wanted = append(wanted, demand{size: i.Size, spot: i.Spot(), n: 1})
		}
		if i.allocation.since.IsZero() {
			places = append(places, i.placement())
		}
	}
	if f := w.checkQuota(wanted...); f != nil {
		return f
	}
	return w.refuse(places)
}

func (i *Instance) checkPower(a PowerAction) *Failure {
	switch {
	case a.after == PowerDeallocated && i.Ephemeral():
		// azure-docs#41362; code and words are believed.
		return notAllowed("Deallocate of virtual machine '" + i.Name + "' is not supported: its OS disk is ephemeral.")
	case a.hibernates:
		return i.checkHibernation()
	}
	return nil
}

// checkHibernation has the words of Microsoft's page on hibernation problems, but for
// Uniform sets, whose are believed.
func (i *Instance) checkHibernation() *Failure {
	switch {
	case i.Set.Uniform():
		return notAllowed("The Hibernate-Deallocate Operation is not supported on Virtual Machine Scale Sets with Uniform orchestration.")
	case !i.hibernationEnabled():
		return notAllowed("The Hibernate-Deallocate Operation can only be triggered on a VM that is enabled for hibernation. Please enable the property additionalCapabilities.hibernationEnabled during VM creation, or after stopping and deallocating the VM.")
	case i.State != StateSucceeded || i.Power != PowerRunning:
		return notAllowed("The Hibernate-Deallocate Operation can only be triggered on a VM that is successfully provisioned and is running.")
	}
	return nil
}

func notAllowed(message string) *Failure { return &Failure{"OperationNotAllowed", message} }

// WithoutProtected are the instances that actions on the whole scale set reach: those
// whose policy does not protect them (Microsoft's page on instance protection).
func WithoutProtected(all []*Instance) []*Instance {
	return slices.DeleteFunc(slices.Clone(all), func(i *Instance) bool { return i.protected("protectFromScaleSetActions") })
}
