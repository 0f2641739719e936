package world

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"

// InstanceInfo is what the simulator knows of an instance, whatever Azure's
// API would report of it now.
type InstanceInfo struct {
	Name              string `json:"name"`
	Mode              string `json:"mode,omitempty"` // Uniform or Flexible; empty: of no scale set
	ScaleSet          string `json:"scaleSet"`
	InstanceID        string `json:"instanceId"` // in requests to the scale set
	Priority          string `json:"priority,omitempty"`
	Zone              string `json:"zone,omitempty"`
	Size              string `json:"size"`
	Hibernated        bool   `json:"hibernated,omitempty"`
	Standby           bool   `json:"standby,omitempty"` // it is in the standby pool, not in the scale set's capacity
	VMID              string `json:"vmId"`
	ProvisioningState string `json:"provisioningState"`
	PowerState        string `json:"powerState"`
	PrivateAddress    string `json:"privateAddress"` // the primary one
	PublicAddress     string `json:"publicAddress,omitempty"`
	Directory         string `json:"directory,omitempty"` // of its machine

	PublicKeys []string `json:"publicKeys,omitempty"` // with which it was made, as in authorized_keys
}

// Instances describes every instance there is, in no order.
func (w *World) Instances() []InstanceInfo {
	infos := []InstanceInfo{}
	for i := range w.instances() {
		infos = append(infos, i.info())
	}
	return infos
}

func (i *Instance) info() InstanceInfo {
	info := InstanceInfo{
		Name: i.Name, ScaleSet: i.Set.Name, InstanceID: i.Key, VMID: i.VMID, Priority: i.priority(), Zone: i.Zone, Size: i.Size,
		Hibernated:        i.Hibernated,
		Standby:           i.InPool,
		ProvisioningState: i.State, PowerState: i.Power,
	}
	if os, ok := jsonmap.At(i.Profile, "osProfile").(map[string]any); ok {
		info.PublicKeys = PublicKeys(os)
	}
	if !i.Set.Standalone() {
		info.Mode = i.Set.Mode()
	}
	if i.Private.IsValid() {
		info.PrivateAddress = i.Private.String()
	}
	if i.Public.IsValid() {
		info.PublicAddress = i.Public.String()
	}
	if i.machine != nil {
		info.Directory = i.machine.Dir()
	}
	return info
}

// Counts are what exists, and what existed.
type Counts struct {
	Instances        int            // that exist now, in any state
	Running          int            // of them
	Capacity         int            // sum of all scale sets
	Capacities       map[string]int // of each, by its name
	Created          int            // instances ever
	Absent           int            // instances that were asked for and never made
	Evicted          int            // Spot instances ever
	InstanceSeconds  float64        // simulated, from acceptance to removal, as their disks cost
	AllocatedSeconds float64        // simulated, with a virtual machine that costs
	Machines         int            // that are switched on
	Addresses        int            // in use
}

// Counts counts all that there is.
func (w *World) Counts() Counts {
	c := Counts{Created: w.created, Absent: w.absent, Evicted: w.evicted, InstanceSeconds: w.lived.Seconds(), AllocatedSeconds: w.allocated.Seconds(), Addresses: w.addresses.inUse()}
	c.Capacities = map[string]int{}
	for set := range w.scaleSets() {
		c.Capacity += set.Capacity
		c.Capacities[set.Name] += set.Capacity
	}
	now := w.Clock.Now()
	for i := range w.instances() {
		c.Instances++
		c.InstanceSeconds += now.Sub(i.Created).Seconds()
		c.AllocatedSeconds += i.allocated(now).Seconds()
		if i.Power == PowerRunning {
			c.Running++
		}
		if i.machine != nil && i.machine.Running() {
			c.Machines++
		}
	}
	return c
}
