package armsim

import (
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// instance is a virtual machine of a scale set, or of its group alone. Its
// profile is the scale set's at the time it was created: later changes of the
// model do not reach it.
type instance struct {
	set      *scaleSet
	id       int // counts the set's instances; of a Uniform set the instance ID
	name     string
	suffix   string // of names that are unique in the group
	computer string
	vmID     string
	size     string
	zone     string // empty: none
	head     object // what stands beside a virtual machine's properties
	revision int    // the ETag of a virtual machine
	seat     bool   // it counts in the capacity
	gone     bool
	state    string // provisioning state
	power    string // empty: none told yet
	profile  object
	version  int    // of the profile
	extra    object // further properties of a Uniform set's instance
	created  time.Time
	failure  *problem
	nic      bool // its network interface is listed
	nics     []*nic
	private  netip.Addr // the primary one
	public   netip.Addr // the primary one's; zero: the model asks for none
	spare    netip.Addr // of a profile without interfaces
	disk     string
	life     int            // planned events of an earlier life are void
	pending  func(*problem) // ends the power action under way, if any
	before   standing       // the deletion under way
	buried   bool           // its deletion cannot be taken back any more
	machine  *machine.Machine
}

// create accepts a new instance. It is Creating without a power state, then
// starting with a network interface, and running at last.
func (s *Server) create(set *scaleSet) {
	if !s.config.Polite && s.rand.IntN(4) == 0 {
		set.nextID++ // IDs have gaps on Azure, as after overprovisioning
	}
	profile, _ := clone(set.profile()).(object)
	number := set.nextID
	if s.config.Unknowns.NumbersReused && set.uniform() {
		number = set.lowestFree()
	}
	i := &instance{
		set: set, id: number, vmID: s.uuid(), state: stateCreating, version: set.version, size: set.size(),
		profile: profile, extra: object{}, created: s.time.now(), disk: strings.ReplaceAll(s.uuid(), "-", ""),
		zone: set.nextZone(), head: set.head(), revision: 1, seat: true,
	}
	set.nextID++
	s.christen(i)
	e := s.instanceFault(opCreate, i)
	if e.Absent != nil {
		s.miss(set.goal, e.Absent.problem())
		return
	}
	set.instances = append(set.instances, i)
	s.created++
	if err := s.connect(i); err != nil {
		// Not settled here: the scale set's other instances are yet to be made.
		i.state, i.failure = stateFailed, newProblem(409, "NetworkingInternalOperationError", "%s", err)
		return
	}
	s.boot(i, e)
}

// boot plans a new instance's way to running, or what a fault makes of it.
func (s *Server) boot(i *instance, e *Effect) {
	boot := e.slowed(s.config.Boot.draw(s.rand))
	s.plan(i, boot/3, func() { i.power, i.nic = powerStarting, true })
	switch {
	case e.Fail != nil:
		s.plan(i, boot, func() { s.fail(i, e.Fail.problem()) })
	case !e.Stuck:
		s.plan(i, boot, func() { s.running(i) })
	}
}

// connect gives the instance its addresses and its machine.
func (s *Server) connect(i *instance) (err error) {
	if err := s.attachInterfaces(i); err != nil {
		return err
	}
	if s.config.NoMachines {
		return nil
	}
	os, _ := i.profile["osProfile"].(object)
	password := i.set.password
	if flag(os, "linuxConfiguration.disablePasswordAuthentication") {
		password = ""
	}
	private, public := i.addresses()
	i.machine, err = machine.New(machine.Config{
		Name: i.computer, Addresses: append(private, public...), Port: s.SSHPort, User: text(os, "adminUsername"),
		Password: password, AuthorizedKeys: publicKeys(os), ParentDir: s.machineDir,
		Env: append([]string{"ARMSIM_INSTANCE=" + i.name, "ARMSIM_VM_ID=" + i.vmID}, s.config.MachineEnv...),
	})
	return err
}

func publicKeys(os object) []string {
	var keys []string
	for _, key := range list(os, "linuxConfiguration.ssh.publicKeys") {
		keys = append(keys, text(key, "keyData"))
	}
	return keys
}

// plan runs do after d, unless the instance's life has changed by then.
func (s *Server) plan(i *instance, d time.Duration, do func()) {
	life := i.life
	s.time.after(d, func() {
		if i.life == life {
			do()
		}
	})
}

// interrupt voids what is planned for the instance. A power action under way
// has then done all it ever will: its operation must not run for ever.
func (i *instance) interrupt() {
	i.life++
	i.release(nil)
}

func (i *instance) release(p *problem) {
	if done := i.pending; done != nil {
		i.pending = nil
		done(p)
	}
}

func (s *Server) running(i *instance) {
	if i.machine != nil {
		if err := i.machine.Boot(); err != nil {
			s.fail(i, newProblem(409, "VMStartTimedOut", "%s", err))
			return
		}
	}
	if i.state == stateCreating {
		i.revision++ // recording 03
	}
	i.state, i.power, i.nic, i.failure = stateSucceeded, powerRunning, true, nil
	i.release(nil)
	s.settle(i.set)
}

// fail ends a creation without a VM: the instance stays listed as Failed, has
// no power state, and keeps its seat until somebody deletes it.
func (s *Server) fail(i *instance, p *problem) {
	i.interrupt()
	i.state, i.power, i.failure = stateFailed, "", p
	s.settle(i.set)
}

// uuid draws from the seed, so that a run replays.
func (s *Server) uuid() string {
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(s.rand.UintN(256))
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return uuid.UUID(raw).String()
}
