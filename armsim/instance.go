package armsim

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// instance is a VM of a Uniform scale set. Its profile is the scale set's at
// the time it was created: later changes of the model do not reach it.
type instance struct {
	set     *scaleSet
	id      int
	vmID    string
	state   string // provisioning state
	power   string // empty: none told yet
	profile object
	version int // of the profile
	extra   object
	created time.Time
	failure *problem
	nic     bool // its network interface is listed
	private netip.Addr
	public  netip.Addr // zero: the model asks for none
	disk    string
	life    int    // planned events of an earlier life are void
	pending func() // ends the power action under way, if any
	machine *machine.Machine
}

func (i *instance) name() string { return fmt.Sprintf("%s_%d", i.set.name, i.id) }

// computerName is the prefix and the ID in base 36, six digits long
// (Microsoft's page on scale set instance IDs).
func (i *instance) computerName() string {
	number := strings.ToUpper(strconv.FormatInt(int64(i.id), 36))
	return text(i.profile, "osProfile.computerNamePrefix") + strings.Repeat("0", max(0, 6-len(number))) + number
}

// create accepts a new instance. It is Creating without a power state, then
// starting with a network interface, and running at last.
func (s *Server) create(set *scaleSet) {
	if !s.config.Polite && s.rand.IntN(4) == 0 {
		set.nextID++ // IDs have gaps on Azure, as after overprovisioning
	}
	profile, _ := clone(set.profile()).(object)
	i := &instance{
		set: set, id: set.nextID, vmID: s.uuid(), state: stateCreating, version: set.version,
		profile: profile, extra: object{}, created: s.time.now(), disk: strings.ReplaceAll(s.uuid(), "-", ""),
	}
	set.nextID++
	set.instances = append(set.instances, i)
	s.created++
	if err := s.connect(i); err != nil {
		// Not settled here: the scale set's other instances are yet to be made.
		i.state, i.failure = stateFailed, newProblem(409, "NetworkingInternalOperationError", "%s", err)
		return
	}
	boot := s.config.Boot.draw(s.rand)
	s.plan(i, boot/3, func() { i.power, i.nic = powerStarting, true })
	s.plan(i, boot, func() { s.running(i) })
}

// connect gives the instance its addresses and its machine.
func (s *Server) connect(i *instance) (err error) {
	if i.private, err = s.privatePool.Take(); err != nil {
		return err
	}
	addresses := []netip.Addr{i.private}
	if publicConfig(i.profile) != nil {
		if i.public, err = s.publicPool.Take(); err != nil {
			return err
		}
		addresses = append(addresses, i.public)
	}
	if s.config.NoMachines {
		return nil
	}
	os, _ := i.profile["osProfile"].(object)
	password := i.set.password
	if flag(os, "linuxConfiguration.disablePasswordAuthentication") {
		password = ""
	}
	i.machine, err = machine.New(machine.Config{
		Name: i.computerName(), Addresses: addresses, Port: s.SSHPort, User: text(os, "adminUsername"),
		Password: password, AuthorizedKeys: publicKeys(os), ParentDir: s.machineDir,
		Env: []string{"ARMSIM_INSTANCE=" + i.name(), "ARMSIM_VM_ID=" + i.vmID},
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
	i.release()
}

func (i *instance) release() {
	if done := i.pending; done != nil {
		i.pending = nil
		done()
	}
}

func (s *Server) running(i *instance) {
	if i.machine != nil {
		if err := i.machine.Boot(); err != nil {
			s.fail(i, newProblem(409, "VMStartTimedOut", "%s", err))
			return
		}
	}
	i.state, i.power, i.nic, i.failure = stateSucceeded, powerRunning, true, nil
	s.settle(i.set)
}

// fail ends a creation without a VM: the instance stays listed as Failed, has
// no power state, and keeps its seat until somebody deletes it.
func (s *Server) fail(i *instance, p *problem) {
	i.interrupt()
	i.state, i.power, i.failure = stateFailed, "", p
	s.settle(i.set)
}

// remove accepts the deletion of an instance: what runs on it dies at once, the
// resource is listed as Deleting for a while, done runs when it is gone.
func (s *Server) remove(i *instance, done func()) {
	i.interrupt()
	i.state = stateDeleting
	if i.power == powerRunning {
		i.power = powerStopping
	}
	s.halt(i, func() {
		s.plan(i, s.config.Delete.draw(s.rand), func() { s.bury(i, done) })
	})
}

// bury removes the instance once its machine is gone, so that nobody gets its
// address while something of it still answers there.
func (s *Server) bury(i *instance, done func()) {
	gone := func() {
		s.privatePool.Release(i.private)
		if i.public.IsValid() {
			s.publicPool.Release(i.public)
		}
		s.lived += s.time.now().Sub(i.created)
		i.set.instances = slices.DeleteFunc(i.set.instances, func(other *instance) bool { return other == i })
		if done != nil {
			done()
		}
		s.settle(i.set)
		s.dropped(i.set)
	}
	if i.machine == nil {
		gone()
		return
	}
	s.background(func() {
		i.machine.Destroy()
		s.mu.Lock()
		defer s.mu.Unlock()
		gone()
	})
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
