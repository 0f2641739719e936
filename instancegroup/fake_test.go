package instancegroup

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// The calls of a client, as faults and call counts name them.
const (
	opSet        = "ScaleSet"
	opList       = "Instances"
	opGet        = "Instance"
	opInterfaces = "Interfaces"
	opPublic     = "PublicAddresses"
	opWrite      = "SetCapacity"
	opDelete     = "DeleteInstances"
	opDeleteVM   = "DeleteVirtualMachine"
	opModels     = "VirtualMachineModels"
	opAutoscale  = "AutoscaleSettings"
	opTag        = "SetTags"
	opKeys       = "SetPublicKeys"
	opProgress   = "Progress"
)

// plenty is left of Azure's limits, unless a test says otherwise.
const plenty = 100

// fault is what happens to one call. With took, the call takes effect and only
// its response is lost.
type fault struct {
	err  error
	took bool
}

// fake is a scale set in memory. It does at once what Azure takes minutes for,
// except that instances come up, and go, when the test says so.
type fake struct {
	mu          sync.Mutex
	set         vmss.ScaleSet
	version     int // behind the ETag
	vms         []vmss.Instance
	serial      int // of vmIds, never used again
	reuse       bool
	noNIC       map[string]bool   // by number: the interfaces do not show it
	publicIP    map[string]string // by number: "" where Azure is still giving one
	hidden      map[string]bool   // by vmId: the list skips it
	refuseReads bool              // of single instances
	blank       map[string]bool   // by vmId: the responses hold no vmId
	refuse      string            // a number that deletions refuse
	refusal     armerr.Kind       // how they refuse it; else as if it did not exist
	refuseAll   bool              // starts and deallocations, in whatever number
	bare        bool              // the list of VMs holds no models
	late        bool              // the capacity falls when a deletion ends
	most        int64             // the capacity that a quota leaves; 0: any
	mostKind    armerr.Kind       // how more is refused
	extra       []vmss.Instance   // what an outdated list shows in addition

	powered    []string           // what power was changed to, by call
	marking    vmss.Operation     // of marks; empty: they are written at once
	hibernated bool               // the last deallocation was to
	outcome    *vmss.PowerOutcome // of a change of the power that fails; nil: all are in doubt if it may have taken effect
	idle       bool               // accepted changes of power do nothing

	past []vmss.Instance // what Resource Graph shows

	faults  map[string][]fault
	calls   map[string]int
	enter   func(op string, call int) // runs unlocked before a call takes effect
	leave   func(op string, call int) // runs unlocked before the response
	lowered bool                      // a write lowered the capacity
	grown   int                       // what accepted writes added
	writes  []int64
	sent    [][]string // numbers, by deletion call
	deleted []string   // vmIds whose deletion was accepted
	settled []string   // autoscale settings

	begun     int // operations
	endless   bool
	failures  map[vmss.Operation]error
	lists     int               // that are left of Azure's limits
	pageSize  int               // instances on a page of a list; 0: all
	perMinute float64           // pages that become possible
	reads     int               // of single instances that are left
	remaining map[vmss.Call]int // the same of other calls, where it is not plenty
}

func newFake(instances int) *fake {
	f := &fake{
		set:   vmss.ScaleSet{ID: "/x/ci", Name: "ci", Size: "Standard_D2s_v5", HasCapacity: true, Model: vmss.Model{OSType: "Linux", Upgrade: vmss.Upgrade{Mode: "Manual"}, Login: vmss.Login{PublicKeys: []vmss.PublicKey{{Data: "ssh-ed25519 AAAA"}}}}},
		noNIC: map[string]bool{}, publicIP: map[string]string{}, hidden: map[string]bool{}, blank: map[string]bool{},
		faults: map[string][]fault{}, calls: map[string]int{}, failures: map[vmss.Operation]error{}, lists: plenty, perMinute: 1e18, reads: plenty, remaining: map[vmss.Call]int{},
	}
	f.foreign(int64(instances))
	f.boot()
	return f
}

// open makes a group, with a clock that a test may move.
func (f *fake) open(t require.TestingT) (*Group, *clock) {
	return f.openWith(t, Options{})
}

// openWith makes one with further options.
func (f *fake) openWith(t require.TestingT, o Options) (*Group, *clock) {
	c := &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	o.Client, o.Now = f, c.now
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	g, err := Open(context.Background(), o)
	require.NoError(t, err)
	return g, c
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// azure makes an error as armapi returns it.
func azure(kind armerr.Kind, status int) error {
	return &armerr.Error{Op: "ask", Object: `scale set "ci"`, Kind: kind, Status: status, Code: fmt.Sprint("Code", status)}
}

// failNext plans what happens to the next calls of an operation.
func (f *fake) failNext(op string, faults ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[op] = append(f.faults[op], faults...)
}

func (f *fake) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// change lets a test be Azure, or somebody else.
func (f *fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	f.touch()
}

func (f *fake) touch() {
	f.version++
	f.set.ETag = fmt.Sprintf(`"%d"`, f.version)
}

// foreign is a capacity write by somebody else.
func (f *fake) foreign(capacity int64) { f.change(func() { f.grow(capacity) }) }

// grow creates what the capacity lacks, and as Azure does deletes where it is
// too low: any instance.
func (f *fake) grow(capacity int64) {
	for n := f.set.Capacity; n < capacity; n++ {
		f.serial++
		number := f.number()
		f.vms = append(f.vms, vmss.Instance{
			ID: "/X/virtualMachines/" + number, Name: "ci_" + number, InstanceID: number,
			VMID: fmt.Sprintf("%08x-aaaa", f.serial), ProvisioningState: "Creating", HasView: true,
		})
	}
	if left := len(f.vms) - int(f.set.Capacity-capacity); capacity < f.set.Capacity && left >= 0 {
		f.vms = f.vms[:left]
	}
	f.set.Capacity = capacity
}

// number gives a new instance its number: one that is free again, or a new one.
func (f *fake) number() string {
	for n := 0; f.reuse; n++ {
		number := fmt.Sprint(n)
		if !slices.ContainsFunc(f.vms, func(i vmss.Instance) bool { return i.InstanceID == number }) {
			return number
		}
	}
	return fmt.Sprint(f.serial)
}

// boot lets all new instances come up.
func (f *fake) boot() {
	f.each(func(i *vmss.Instance) bool {
		if i.ProvisioningState == "Creating" {
			i.ProvisioningState, i.PowerState = "Succeeded", "running"
		}
		return true
	})
}

// each changes instances, and drops those for which the function is false.
func (f *fake) each(do func(*vmss.Instance) bool) {
	f.change(func() {
		var left []vmss.Instance
		for _, i := range f.vms {
			if do(&i) {
				left = append(left, i)
			}
		}
		f.vms = left
	})
}

// vm changes the instance at a place.
func (f *fake) vm(n int, do func(*vmss.Instance)) {
	f.change(func() { do(&f.vms[n]) })
}

// evict makes an instance vanish as Spot evictions with policy Delete do (F34).
func (f *fake) evict(n int) {
	f.change(func() {
		f.vms = slices.Delete(slices.Clone(f.vms), n, n+1)
		f.set.Capacity--
	})
}

// finish ends the deletions.
func (f *fake) finish() {
	f.each(func(i *vmss.Instance) bool {
		if f.late && i.ProvisioningState == "Deleting" {
			f.set.Capacity--
		}
		return i.ProvisioningState != "Deleting"
	})
}

// id is the member ID of the instance at a place.
func (f *fake) id(n int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.ToLower(f.vms[n].Name) + "-" + f.vms[n].VMID[:8]
}

func (f *fake) private(i vmss.Instance) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, 0, i.VMID[7]})
}
