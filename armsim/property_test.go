package armsim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// machineless drives one scale set at random and keeps count of what it must
// come to. All runs share a simulator; each has a scale set of its own.
type machineless struct {
	*sim
	set, name string
	flexible  bool
	capacity  int
	want      int // instances, which a Flexible set may have fewer of
	requests  int
	replies   []reply
}

const mostInstances = 6

// sent counts a request and keeps what it started.
func (m *machineless) sent(t *rapid.T, r reply, status int) reply {
	require.Equal(t, status, r.status, r.raw)
	m.requests++
	if r.header.Get("Azure-AsyncOperation") != "" {
		m.replies = append(m.replies, r)
	}
	return r
}

// live are the IDs of the instances that are not on their way out.
func (m *machineless) live() []string {
	var ids []string
	for _, i := range m.Instances() {
		if i.ScaleSet == m.name && i.ProvisioningState != "Deleting" {
			ids = append(ids, i.InstanceID)
		}
	}
	return ids
}

func (m *machineless) pick(t *rapid.T) string {
	ids := m.live()
	if len(ids) == 0 {
		t.Skip("no instances")
	}
	return rapid.SampledFrom(ids).Draw(t, "id")
}

func (m *machineless) resize(t *rapid.T) {
	before := m.capacity
	m.capacity = rapid.IntRange(0, mostInstances).Draw(t, "capacity")
	m.want = max(0, m.want+m.capacity-before)
	m.sent(t, m.setCapacity(t, m.set, m.capacity), http.StatusOK)
}

func (m *machineless) delete(t *rapid.T) {
	ids := m.live()
	if len(ids) == 0 {
		t.Skip("no instances")
	}
	deleted := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, len(ids), rapid.ID[string]).Draw(t, "deleted")
	m.capacity -= len(deleted)
	m.want -= len(deleted)
	m.sent(t, m.deleteInstances(t, m.set, deleted...), http.StatusAccepted)
}

func (m *machineless) deleteOne(t *rapid.T) {
	id := m.pick(t)
	m.want--
	if !m.flexible {
		m.capacity--
	}
	m.sent(t, m.send(t, "DELETE", m.one(id), nil), http.StatusAccepted)
}

func (m *machineless) deleteWrongly(t *rapid.T) {
	m.sent(t, m.deleteInstances(t, m.set, append(m.live(), "123456")...), http.StatusBadRequest)
}

// one is the path of an instance.
func (m *machineless) one(id string) string {
	if m.flexible {
		return m.machinesPath() + "/" + id
	}
	return m.set + "/virtualMachines/" + id
}

// vmID is what Kill and Evict find an instance of either mode by.
func (m *machineless) vmID(t *rapid.T) string {
	id := m.pick(t)
	for _, i := range m.Instances() {
		if i.ScaleSet == m.name && i.InstanceID == id {
			return i.VMID
		}
	}
	return ""
}

func (m *machineless) kill(t *rapid.T) {
	if m.Kill(m.vmID(t)) != nil {
		t.Skip("off")
	}
}

func (m *machineless) evict(t *rapid.T) {
	if m.Evict(m.vmID(t)) != nil {
		t.Skip("deallocated")
	}
	m.capacity--
	m.want--
}

func (m *machineless) power(t *rapid.T) {
	action := rapid.SampledFrom([]string{"poweroff", "deallocate", "start", "restart"}).Draw(t, "action")
	m.sent(t, m.send(t, "POST", m.set+"/"+action, object{"instanceIds": []string{m.pick(t)}}), http.StatusAccepted)
}

func (m *machineless) write(t *rapid.T) {
	m.sent(t, m.send(t, "PUT", m.one(m.pick(t)), `{}`), http.StatusOK)
}

func (m *machineless) pass(t *rapid.T) {
	m.Advance(time.Duration(rapid.IntRange(0, 12_000).Draw(t, "milliseconds")) * time.Millisecond)
}

// check holds after every step.
func (m *machineless) check(t *rapid.T) {
	require.Len(t, m.live(), m.want)
	addresses, ids, vms := map[string]bool{}, map[string]bool{}, map[string]bool{}
	all := m.Instances()
	for _, i := range all {
		addresses[i.PrivateAddress], ids[i.Name], vms[i.VMID] = true, true, true
	}
	require.Len(t, addresses, len(all))
	require.Len(t, ids, len(all))
	require.Len(t, vms, len(all))
}

var modes = []string{"Uniform", "Flexible"}

func TestAnySequenceComesToRest(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			runSequences(t, mode)
		})
	}
}

func runSequences(t *testing.T, mode string) {
	s := virtual(t, armsim.Config{Seed: 7})
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		name := fmt.Sprintf("r%d", runs)
		m := &machineless{sim: s, name: name, set: s.ScaleSetPath(name), flexible: mode == "Flexible"}
		_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: name, OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: "Delete"})
		require.NoError(t, err)
		before := len(s.Journal())
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "resize": m.resize, "delete": m.delete, "delete one": m.deleteOne, "delete wrongly": m.deleteWrongly,
			"kill": m.kill, "evict": m.evict, "power": m.power, "write": m.write, "pass": m.pass,
		})
		require.Len(t, s.Journal(), before+m.requests)
		s.Advance(settled)
		require.Equal(t, m.capacity, s.capacity(t, m.set))
		s.checkRest(t, m.set, m.replies)
		m.check(t)
		s.send(t, "DELETE", m.set, nil)
		s.Advance(settled)
		require.Zero(t, s.Stats().Addresses)
	})
}
