package armsim_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// patience bounds waits for real machines; none takes nearly as long.
const patience = 20 * time.Second

// site is a simulator in real time whose machines let key in.
type site struct {
	*sim
	key ssh.Signer
	set string
}

func newSite(t *testing.T, spec armsim.ScaleSetSpec) *site {
	t.Helper()
	return newSiteOf(t, armsim.Config{}, spec)
}

func newSiteOf(t *testing.T, c armsim.Config, spec armsim.ScaleSetSpec) *site {
	t.Helper()
	if err := machine.Supported(); err != nil {
		t.Skip(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	spec.PublicKey = string(ssh.MarshalAuthorizedKey(key.PublicKey()))
	s := &site{sim: start(t, c), key: key}
	s.set, err = s.CreateScaleSet(t.Context(), spec)
	require.NoError(t, err)
	return s
}

// running waits until all instances run, and returns them.
func (s *site) running(t *testing.T) []armsim.InstanceInfo {
	t.Helper()
	require.Eventually(t, func() bool {
		st := s.Stats()
		return st.Machines == st.Capacity
	}, patience, 5*time.Millisecond)
	return s.Instances()
}

func (s *site) dial(address string) (*ssh.Client, error) {
	return ssh.Dial("tcp", net.JoinHostPort(address, strconv.Itoa(s.SSHPort)), &ssh.ClientConfig{
		User: "azureuser", Auth: []ssh.AuthMethod{ssh.PublicKeys(s.key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: patience,
	})
}

func (s *site) run(t *testing.T, address, command string) string {
	t.Helper()
	client, err := s.dial(address)
	require.NoError(t, err)
	defer client.Close()
	session, err := client.NewSession()
	require.NoError(t, err)
	out, err := session.Output(command)
	require.NoError(t, err)
	return string(out)
}

// job starts a command that would never end, and returns once it runs.
func (s *site) job(t *testing.T, address string) (wait func() error) {
	t.Helper()
	client, err := s.dial(address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	session, err := client.NewSession()
	require.NoError(t, err)
	out, err := session.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, session.Start("echo up; sleep 1000"))
	_, err = out.Read(make([]byte, 3))
	require.NoError(t, err)
	return session.Wait
}

// TestActionsWhoseMachineFailsFail: their operation does not succeed.
func TestActionsWhoseMachineFailsFail(t *testing.T) {
	t.Parallel()
	for action, prevent := range map[string]func(t *testing.T, s *site, i armsim.InstanceInfo){
		"start": func(t *testing.T, s *site, i armsim.InstanceInfo) {
			r := s.send(t, "POST", s.set+"/deallocate", nil)
			s.ended(t, r)
			taken, err := net.Listen("tcp", net.JoinHostPort(i.PrivateAddress, strconv.Itoa(s.SSHPort)))
			require.NoError(t, err)
			t.Cleanup(func() { _ = taken.Close() })
		},
		"reimage": func(t *testing.T, _ *site, i armsim.InstanceInfo) {
			require.NoError(t, os.RemoveAll(filepath.Dir(i.Directory)))
		},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
			i := s.running(t)[0]
			prevent(t, s, i)
			ended := s.ended(t, s.send(t, "POST", s.set+"/"+action, nil))
			assert.Equal(t, "Failed", ended.text("status"), ended.raw)
			assert.Equal(t, "Failed", s.Instances()[0].ProvisioningState)
		})
	}
}

// ended is the status body of the operation that r started, once it has ended.
func (s *site) ended(t *testing.T, r reply) (status reply) {
	t.Helper()
	require.Eventually(t, func() bool {
		status = s.operation(t, r)
		return status.text("status") != "InProgress"
	}, patience, 5*time.Millisecond)
	return status
}

func TestJobsOnInstances(t *testing.T) {
	t.Parallel()
	c := armsim.Config{MachineEnv: []string{"DOCKER_HOST=unix:///none", "COLOUR=blue"}}
	s := newSiteOf(t, c, armsim.ScaleSetSpec{Name: "ci", Capacity: 2, PublicAddress: true})
	for _, i := range s.running(t) {
		for _, address := range []string{i.PrivateAddress, i.PublicAddress} {
			assert.Equal(t, i.Name+" unix:///none blue", s.run(t, address, `printf %s "$ARMSIM_INSTANCE $DOCKER_HOST $COLOUR"`))
		}
		nics := s.get(t, s.set+"/virtualMachines/"+i.InstanceID+"/networkInterfaces")
		assert.Equal(t, i.PrivateAddress, get(nics.body, "value.0.properties.ipConfigurations.0.properties.privateIPAddress"))
	}
	var listed, known []string
	for _, address := range s.list(t, s.set+"/publicIPAddresses") {
		listed = append(listed, get(address, "properties.ipAddress").(string))
	}
	for _, i := range s.Instances() {
		known = append(known, i.PublicAddress)
	}
	assert.ElementsMatch(t, known, listed)
}

func TestWhatEndsAJob(t *testing.T) {
	t.Parallel()
	s := newSite(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 4})
	instances := s.running(t)
	for n, end := range []func(i armsim.InstanceInfo){
		func(i armsim.InstanceInfo) { require.NoError(t, s.Kill(i.Name)) },
		func(i armsim.InstanceInfo) { s.deleteInstances(t, s.set, i.InstanceID) },
		func(i armsim.InstanceInfo) {
			s.send(t, "POST", s.set+"/virtualMachines/"+i.InstanceID+"/deallocate", nil)
		},
	} {
		i := instances[n]
		wait := s.job(t, i.PrivateAddress)
		end(i)
		assert.Error(t, wait())
		require.Eventually(t, func() bool { _, err := s.dial(i.PrivateAddress); return err != nil }, patience, 5*time.Millisecond)
	}
	assert.Equal(t, "on", s.run(t, instances[3].PrivateAddress, "printf on"), "a bystander")
	id := instances[0].InstanceID
	s.send(t, "POST", s.set+"/start", object{"instanceIds": []string{id}})
	require.Eventually(t, func() bool { return s.Stats().Machines == 2 }, patience, 5*time.Millisecond)
	assert.Equal(t, "up again", s.run(t, instances[0].PrivateAddress, "printf 'up again'"))
}

func TestStartLeavesRunningJobsAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	i := s.running(t)[0]
	s.run(t, i.PrivateAddress, "sleep 1000 >/dev/null 2>&1 & echo $! > pid")
	r := s.send(t, "POST", s.set+"/start", nil)
	require.Eventually(t, func() bool { return s.status(t, r) == "Succeeded" }, patience, 5*time.Millisecond)
	s.run(t, i.PrivateAddress, `kill -0 "$(cat pid)"`)
}

func TestAddressesAreReusedAfterDeathOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	old := s.running(t)[0]
	s.deleteInstances(t, s.set, old.InstanceID)
	require.Eventually(t, func() bool { return s.Stats().Instances == 0 }, patience, 5*time.Millisecond)
	s.setCapacity(t, s.set, 1)
	fresh := s.running(t)[0]
	assert.Equal(t, old.PrivateAddress, fresh.PrivateAddress)
	assert.NotEqual(t, old.VMID, fresh.VMID)
	assert.NotEqual(t, old.Directory, fresh.Directory)
	assert.NoDirExists(t, old.Directory)
}

func TestCloseKillsMachines(t *testing.T) {
	t.Parallel()
	s := newSite(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	i := s.running(t)[0]
	wait := s.job(t, i.PrivateAddress)
	s.Close()
	assert.Error(t, wait())
	assert.NoDirExists(t, i.Directory)
	assert.NoFileExists(t, s.CAFile)
}

// TestTwoSimulatorsOfASeed draw the same network; the second takes the next
// one, and the jobs of neither are disturbed.
func TestTwoSimulatorsOfASeed(t *testing.T) {
	t.Parallel()
	spec := armsim.ScaleSetSpec{Name: "ci", Capacity: 2, PublicAddress: true}
	one := newSiteOf(t, armsim.Config{Seed: 7}, spec)
	two := newSiteOf(t, armsim.Config{Seed: 7, SSHPort: one.SSHPort}, spec)
	three := newSiteOf(t, armsim.Config{Seed: 7, SSHPort: one.SSHPort}, spec)
	seen := map[string]bool{}
	for _, s := range []*site{one, two, three} {
		assert.Equal(t, one.SSHPort, s.SSHPort)
		for _, i := range s.running(t) {
			for _, address := range []string{i.PrivateAddress, i.PublicAddress} {
				assert.False(t, seen[address], "another simulator has it, too")
				seen[address] = true
				assert.Equal(t, i.Directory, s.run(t, address, `printf %s "$HOME"`))
			}
		}
	}
}

// TestMachinesOfSuspendedInstances: a deallocated one takes no logins; its disk is there
// again after the start, at another public address. Who logs in has the key that it was
// made with.
func TestMachinesOfSuspendedInstances(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := newSite(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1, PublicAddress: true})
		before := s.running(t)[0]
		s.run(t, before.PublicAddress, "echo kept > file")
		require.Equal(t, 200, s.send(t, "PATCH", s.set, withKeys(secondKey)).status)
		require.Equal(t, 202, s.send(t, "POST", s.set+"/deallocate", nil).status)
		require.Eventually(t, func() bool { return s.Instances()[0].PowerState == "deallocated" }, patience, 5*time.Millisecond)
		_, err := s.dial(before.PrivateAddress)
		require.Error(t, err)
		require.Equal(t, 202, s.send(t, "POST", s.set+"/start", nil).status)
		after := s.running(t)[0]
		assert.Equal(t, before.PrivateAddress, after.PrivateAddress)
		assert.NotEqual(t, before.PublicAddress, after.PublicAddress)
		assert.Equal(t, "kept\n", s.run(t, after.PublicAddress, "cat file"))
		assert.Equal(t, "kept\n", s.run(t, after.PrivateAddress, "cat file"))
		_, err = s.dial(before.PublicAddress)
		require.Error(t, err)
	}
}
