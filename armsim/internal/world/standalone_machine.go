package world

// DraftMachine prepares a standalone virtual machine, which exists once its
// Create is called.
func (g *Group) DraftMachine(name string) *Instance {
	i := &Instance{Set: g.Standalone, Created: g.world.Clock.Now()}
	i.Identity = Identity{
		ID: g.ID + "/providers/Microsoft.Compute/virtualMachines/" + name, Number: g.Standalone.next,
		Name: name, Key: name, VMID: g.world.Random.uuid(),
	}
	i.nameDisks(true)
	i.Status = newStatus(i.Created)
	return i
}

// Create accepts a drafted virtual machine. Faults do not concern it.
func (i *Instance) Create(m Model, computer string) *Operation {
	w := i.world()
	i.Model, i.Computer = m, computer
	i.Set.next++
	i.Set.Instances = append(i.Set.Instances, i)
	w.Access.followIdentity(i.VMID, m.Head)
	w.created++
	o := w.Operations.begin(nil, "Create virtual machine")
	i.allocation.since = w.Clock.Now() // no stock is looked at
	i.boot(Outcome{})
	i.pending = func(f *Failure) { w.Operations.end(o, f) }
	return o
}
