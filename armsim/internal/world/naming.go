package world

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Names and resource IDs: most of the difference between the orchestration modes.
// An instance of a Uniform set is a child of the set under a number, one of a
// Flexible set is a virtual machine of the group under a name (Microsoft's page
// on scale set instance IDs).

// Identity is how an instance is called.
type Identity struct {
	ID       string // its resource ID
	Number   int    // counts the set's instances
	Key      string // in requests to its scale set: the number in a Uniform set, else the name
	Name     string
	Computer string // what the machine calls itself
	VMID     string

	suffix    string // of names that are unique in the group
	disk      string // of the OS disk's name; it moves with a reimage
	dataDisks string // of those of the data disks
}

// assignNames gives a new instance its names.
func (i *Instance) assignNames() {
	r, prefix := i.world().Random, jsonmap.Text(i.Profile, "osProfile.computerNamePrefix")
	i.suffix = r.suffix()
	if !i.Set.Uniform() {
		i.Name, i.Computer = i.Set.Name+"_"+i.suffix, prefix+r.letters()
		i.ID, i.Key = i.Set.Group.ID+"/providers/Microsoft.Compute/virtualMachines/"+i.Name, i.Name
		return
	}
	// The ID in base 36, six digits long.
	number := strings.ToUpper(strconv.FormatInt(int64(i.Number), 36))
	i.Key = strconv.Itoa(i.Number)
	i.Name, i.ID = i.Set.Name+"_"+i.Key, i.Set.ID+"/virtualMachines/"+i.Key
	i.Computer = prefix + strings.Repeat("0", max(0, 6-len(number))) + number
}

// FoldedName is the instance's name as lists are ordered by it.
func FoldedName(i *Instance) string { return strings.ToLower(i.Name) }

// byName puts instances in the order of their FoldedName.
func byName(all []*Instance) []*Instance {
	slices.SortFunc(all, func(a, b *Instance) int { return strings.Compare(FoldedName(a), FoldedName(b)) })
	return all
}

// ByName are the set's instances in the order of their FoldedName.
func (s *ScaleSet) ByName() []*Instance { return byName(slices.Clone(s.Instances)) }

// ByNumber are the set's instances in the order of their numbers. They must not
// be changed.
func (s *ScaleSet) ByNumber() []*Instance {
	order := func(a, b *Instance) int { return cmp.Compare(a.Number, b.Number) }
	if slices.IsSortedFunc(s.Instances, order) { // but with Unknowns.NumbersReused
		return s.Instances
	}
	return slices.SortedFunc(slices.Values(s.Instances), order)
}

// nameDisks draws the names of the instance's OS disk, or of all its disks.
func (i *Instance) nameDisks(all bool) {
	i.disk = strings.ReplaceAll(i.world().Random.uuid(), "-", "")
	if all {
		i.dataDisks = i.disk
	}
}

// DiskName is the name of a disk of the instance; kind is "OS" or of a data
// disk.
func (i *Instance) DiskName(kind string) string {
	suffix := i.dataDisks
	if kind == "OS" {
		suffix = i.disk
	}
	if !i.Set.Uniform() {
		return fmt.Sprintf("%s_%s_1_%s", i.Name, kind, suffix)
	}
	return fmt.Sprintf("%s_%s_%s__1_%s", i.Set.Name, i.Name, kind, suffix)
}

// networkName is the name of a network resource of the instance, whose model
// calls it so.
func (i *Instance) networkName(name string) string {
	if i.Set.Uniform() {
		return name
	}
	return name + "-" + i.suffix
}

func (i *Instance) interfaceID(name string) string {
	if i.Set.Uniform() {
		return i.ID + "/networkInterfaces/" + name
	}
	return i.Set.Group.ID + "/providers/Microsoft.Network/networkInterfaces/" + name
}

func (i *Instance) publicAddressID(c *IPConfig) string {
	if i.Set.Uniform() {
		return c.ID + "/publicIPAddresses/" + c.PublicName
	}
	return i.Set.Group.ID + "/providers/Microsoft.Network/publicIPAddresses/" + c.PublicName
}
