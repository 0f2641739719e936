package instancegroup

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func ip(s string) vmss.IPConfig { return vmss.IPConfig{Private: netip.MustParseAddr(s)} }
func primaryIP(s string) vmss.IPConfig {
	return vmss.IPConfig{Private: netip.MustParseAddr(s), Primary: true}
}

func TestPrimaryConfig(t *testing.T) {
	for _, c := range []struct {
		configs []vmss.IPConfig
		want    string
	}{
		{nil, ""},
		{[]vmss.IPConfig{{Primary: true}}, ""},
		{[]vmss.IPConfig{ip("10.0.0.1"), ip("10.0.0.2")}, "10.0.0.1"},
		{[]vmss.IPConfig{ip("10.0.0.1"), primaryIP("10.0.0.2")}, "10.0.0.2"},
		{[]vmss.IPConfig{primaryIP("10.0.0.1"), primaryIP("10.0.0.2")}, "10.0.0.1"},
		{[]vmss.IPConfig{{Primary: true}, ip("10.0.0.2")}, "10.0.0.2"},
	} {
		config, ok := primaryConfig(c.configs)
		assert.Equal(t, c.want != "", ok)
		if ok {
			assert.Equal(t, c.want, config.Private.String())
		}
	}
}

func TestPrimaryConfigs(t *testing.T) {
	nic := func(vm string, primary bool, address string) vmss.Interface {
		n := vmss.Interface{VMID: vm, Primary: primary}
		if address != "" {
			n.Configs = []vmss.IPConfig{ip(address)}
		}
		return n
	}
	for name, c := range map[string]struct {
		nics []vmss.Interface
		want string
	}{
		"none":                     {nil, ""},
		"of another":               {[]vmss.Interface{nic("/b", true, "10.0.0.9")}, ""},
		"none primary: first":      {[]vmss.Interface{nic("/a", false, "10.0.0.1"), nic("/a", false, "10.0.0.2")}, "10.0.0.1"},
		"primary last":             {[]vmss.Interface{nic("/a", false, "10.0.0.1"), nic("/a", true, "10.0.0.2")}, "10.0.0.2"},
		"primary first":            {[]vmss.Interface{nic("/a", true, "10.0.0.1"), nic("/a", false, "10.0.0.2")}, "10.0.0.1"},
		"two primary: first":       {[]vmss.Interface{nic("/a", true, "10.0.0.1"), nic("/a", true, "10.0.0.2")}, "10.0.0.1"},
		"primary without address":  {[]vmss.Interface{nic("/a", true, ""), nic("/a", false, "10.0.0.2")}, "10.0.0.2"},
		"no address on either yet": {[]vmss.Interface{nic("/a", true, ""), nic("/a", false, "")}, ""},
	} {
		configs := primaryConfigs(c.nics, map[string]string{"/a": "ci_1-00000001"})
		got := ""
		if config, ok := configs["ci_1-00000001"]; ok {
			got = config.Private.String()
		}
		assert.Equal(t, c.want, got, name)
	}
}

// TestInterfacesAreListedOnce counts calls: Azure's read budget is small.
func TestInterfacesAreListedOnce(t *testing.T) {
	f := newFake(20)
	g, _ := f.open(t)
	for range 3 {
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		require.Len(t, v.Members, 20)
		assert.Equal(t, Running, v.Members[7].State)
	}
	assert.Equal(t, 1, f.count(opInterfaces))
	assert.Zero(t, f.count(opPublic), "nobody has a public address")
}

// TestRunningNeedsAnAddress covers interfaces and public addresses that lag
// behind the instances (F27).
func TestRunningNeedsAnAddress(t *testing.T) {
	f := newFake(2)
	f.noNIC[f.vms[0].InstanceID] = true
	f.publicIP[f.vms[1].InstanceID] = ""
	g, _ := f.open(t)
	states := func() (all []State) {
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		for _, m := range v.Members {
			all = append(all, m.State)
		}
		return all
	}
	assert.Equal(t, []State{Creating, Creating}, states())
	f.publicIP[f.vms[1].InstanceID] = "203.0.113.7"
	assert.Equal(t, []State{Creating, Running}, states())
	delete(f.noNIC, f.vms[0].InstanceID)
	assert.Equal(t, []State{Running, Running}, states())
	m, err := g.Locate(t.Context(), f.id(1))
	require.NoError(t, err)
	assert.Equal(t, "203.0.113.7", m.Public.String())
	assert.Equal(t, f.private(f.vms[1]), m.Private)

	f.foreign(3)
	f.boot()
	for _, op := range []string{opInterfaces, opPublic} {
		f.publicIP[f.vms[2].InstanceID] = ""
		f.failNext(op, fault{err: azure(armerr.Transient, 500)})
		_, err := g.Refresh(t.Context())
		assert.Equal(t, armerr.Transient, armerr.KindOf(err))
		assert.Nil(t, g.last().Find(f.id(2)), "nothing is said of it before its address is known")
	}
}

// Fifty jobs start at once: instances that no view shows yet cost one shared
// list and one list of interfaces.
func TestLocateSharesOneReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(50)
		g, _ := f.open(t)
		release := make(chan struct{})
		f.enter = func(op string, _ int) {
			if op == opList {
				<-release
			}
		}
		results := make(chan error, 50)
		for n := range 50 {
			id := f.id(n)
			go func() {
				_, err := g.Locate(t.Context(), id)
				results <- err
			}()
		}
		synctest.Wait()
		close(release)
		for range 50 {
			require.NoError(t, <-results)
		}
		assert.Equal(t, 1, f.count(opList))
		assert.Equal(t, 1, f.count(opInterfaces))
		assert.Zero(t, f.count(opGet))
	})
}

// A private address goes to the next VM soon after an eviction (CAPEv2#2666).
func TestLocateGivesNoAddressOfAnotherInstance(t *testing.T) {
	f := newFake(2)
	g, clock := f.open(t)
	_, err := g.Refresh(t.Context())
	require.NoError(t, err)
	gone, number := f.id(0), f.vms[0].InstanceID
	f.evict(0)
	f.foreign(2)
	f.boot()
	f.vm(1, func(i *vmss.Instance) { i.InstanceID = number })
	clock.pass(freshAge + time.Second) // by then another one could be up
	_, err = g.Locate(t.Context(), gone)
	require.ErrorContains(t, err, "it no longer exists")
}

func TestPrimaryConfigAmongSeveral(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.4"), netip.MustParseAddr("fd00::4")
	for name, c := range map[string]struct {
		configs []vmss.IPConfig
		want    vmss.IPConfig
	}{
		"IPv4 before IPv6":        {[]vmss.IPConfig{{Private: six}, {Private: four}}, vmss.IPConfig{Private: four}},
		"primary before IPv4":     {[]vmss.IPConfig{{Private: four}, {Private: six, Primary: true}}, vmss.IPConfig{Private: six, Primary: true}},
		"IPv6 alone":              {[]vmss.IPConfig{{Private: six}}, vmss.IPConfig{Private: six}},
		"public of its own":       {[]vmss.IPConfig{{Private: six, PublicID: "/6"}, {Private: four, PublicID: "/4", Primary: true}}, vmss.IPConfig{Private: four, PublicID: "/4", Primary: true}},
		"public of its neighbour": {[]vmss.IPConfig{{Private: four, Primary: true}, {Private: six, PublicID: "/6"}}, vmss.IPConfig{Private: four, PublicID: "/6", Primary: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := primaryConfig(c.configs)
			assert.True(t, ok)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestLocateErrors(t *testing.T) {
	f := newFake(4)
	g, _ := f.open(t)
	gone := f.id(0)
	f.evict(0)
	f.vm(0, func(i *vmss.Instance) { i.PowerState = "deallocated" })
	f.vm(1, func(i *vmss.Instance) { i.ProvisioningState = "Creating" })
	f.vm(2, func(i *vmss.Instance) { i.ProvisioningState = "Deleting" })
	for id, want := range map[string]string{
		gone:    "it no longer exists",
		f.id(0): "its power state is deallocated",
		f.id(1): "it is creating",
		f.id(2): "it is being deleted",
	} {
		_, err := g.Locate(t.Context(), id)
		require.ErrorContains(t, err, `locate instance "`+id+`": `+want)
		assert.NotContains(t, err.Error(), "\n")
	}
	f.failNext(opList, fault{err: azure(armerr.Transient, 500)})
	_, err := g.Locate(t.Context(), f.id(1))
	require.ErrorContains(t, err, `locate instance "`+f.id(1)+`": ask scale set "ci": Code500 (500)`)
}

// fleeting removes an instance whose address it cannot have: a throttled read
// must not cost a sound one.
func TestLocateOutlivesAThrottledRead(t *testing.T) {
	f := newFake(1)
	g, clock := f.open(t)
	_, err := g.Refresh(t.Context())
	require.NoError(t, err)
	clock.pass(maxAge)
	f.failNext(opGet, fault{err: azure(armerr.Throttled, 429)})
	m, err := g.Locate(t.Context(), f.id(0))
	require.NoError(t, err)
	require.True(t, m.Private.IsValid())
	clock.pass(time.Second)
	f.failNext(opGet, fault{err: azure(armerr.Throttled, 429)})
	_, err = g.Locate(t.Context(), f.id(0))
	require.ErrorContains(t, err, "429")
}
