package sshkeys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func open(t *testing.T, path string) *Keyring {
	t.Helper()
	k, err := Open(path, Ed25519, "runner-1")
	require.NoError(t, err)
	return k
}

func inNewDir(t *testing.T) string { return filepath.Join(t.TempDir(), "state", "id_ci") }

func withLogin(keys ...vmss.PublicKey) vmss.Login {
	return vmss.Login{AdminUsername: "azureuser", PublicKeys: keys}
}

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	path := inNewDir(t)
	k := open(t, path)
	for _, c := range []struct {
		path string
		mode os.FileMode
	}{{path, 0o600}, {path + ".pub", 0o644}, {filepath.Dir(path), os.ModeDir | 0o700}} {
		info, err := os.Stat(c.path)
		require.NoError(t, err)
		if runtime.GOOS != "windows" {
			assert.Equal(t, c.mode, info.Mode(), c.path)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing temporary is left")
	public, err := os.ReadFile(path + ".pub")
	require.NoError(t, err)
	assert.Equal(t, k.Current().Public+"\n", string(public))
	assert.Equal(t, k.Current(), open(t, path).Current(), "a restart keeps it")
}

func TestTypesOfKeys(t *testing.T) {
	for kind, prefix := range map[string]string{Ed25519: "ssh-ed25519 AAAA", RSA3072: "ssh-rsa AAAA"} {
		pair, err := Generate(kind)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(pair.Public, prefix), pair.Public)
		assert.True(t, strings.HasPrefix(pair.Fingerprint, "SHA256:"))
		assert.NotZero(t, pair.ID)
		assert.True(t, pair.IsAmong([]vmss.PublicKey{{Data: "ssh-rsa AAAA"}, {Data: pair.Public + " somebody\r\n"}}))
		assert.False(t, pair.IsAmong([]vmss.PublicKey{{Data: ""}, {Data: "nonsense"}}))
	}
}

// TestManyProcessesEndWithOneKey: those that begin at the same time agree on it.
func TestManyProcessesEndWithOneKey(t *testing.T) {
	path := inNewDir(t)
	var all sync.WaitGroup
	keys := make([]*Pair, 16)
	for n := range keys {
		all.Go(func() {
			if k, err := Open(path, Ed25519, "h"); assert.NoError(t, err) {
				keys[n] = k.Current()
			}
		})
	}
	all.Wait()
	for _, key := range keys {
		assert.Equal(t, keys[0], key)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(curve, "")
	require.NoError(t, err)
	pair, err := Generate(Ed25519)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		want    string
	}{
		"world-readable": {pair.Private, 0o604, "can be read by every user of this machine (mode 0604); fix: chmod 600 "},
		"garbage":        {[]byte("hunter2"), 0o600, "is no private key of SSH without a passphrase; fix: name the private half"},
		"empty":          {nil, 0o600, "is no private key of SSH without a passphrase"},
		"ECDSA":          {pem.EncodeToMemory(block), 0o600, "is of a type that Azure does not take; fix: name an Ed25519 or RSA key"},
		"large":          {make([]byte, maxFile+1), 0o600, "is too large for a private key"},
	} {
		if runtime.GOOS == "windows" && c.mode != 0o600 {
			continue
		}
		path := filepath.Join(t.TempDir(), "id")
		require.NoError(t, os.WriteFile(path, c.content, c.mode))
		require.NoError(t, os.Chmod(path, c.mode))
		_, err := Open(path, Ed25519, "h")
		require.ErrorContains(t, err, "ssh_key_file "+path+" "+c.want, name)
		assert.NotContains(t, err.Error(), "hunter2")
		assert.NotContains(t, err.Error(), "\n")
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, len(c.content), len(after), "it is left alone")
	}
	dir := t.TempDir()
	_, err = Open(dir, Ed25519, "h")
	require.ErrorContains(t, err, "is a directory; fix: ")
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Open(filepath.Join(file, "id"), Ed25519, "h")
	require.ErrorContains(t, err, "fix: ")
	require.ErrorContains(t, err, "ssh_key_file")
}

func TestModelKeepsOtherKeys(t *testing.T) {
	other := vmss.PublicKey{Path: "/home/azureuser/.ssh/authorized_keys", Data: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== ops\r\n"}
	k := open(t, inNewDir(t))
	keys, differs, err := k.Model(withLogin(other))
	require.NoError(t, err)
	require.True(t, differs)
	require.Len(t, keys, 2)
	assert.Equal(t, other, keys[0])
	assert.Equal(t, vmss.PublicKey{Path: other.Path, Data: k.Current().Public + " fleeting-plugin-azure runner-1"}, keys[1])

	again, differs, err := k.Model(withLogin(keys...))
	require.NoError(t, err)
	assert.False(t, differs)
	assert.Equal(t, keys, again)

	second, differs, err := open(t, inNewDir(t)).Model(withLogin(keys...))
	require.NoError(t, err)
	assert.True(t, differs)
	assert.Equal(t, keys, second[:2], "that of another manager is kept")
}

func TestCommentsAreOfOneWord(t *testing.T) {
	for host, want := range map[string]string{"runner-1": "runner-1", "a b\n\"c": "a-b-c", strings.Repeat("x", 200): strings.Repeat("x", 64)} {
		assert.Equal(t, want, commentOf(host))
	}
}

// TestRotation: a file that was moved away is made anew, and what it held serves the
// instances that were made with it, after a restart, too.
func TestRotation(t *testing.T) {
	path := inNewDir(t)
	k := open(t, path)
	first := k.Current()
	model, _, err := k.Model(withLogin())
	require.NoError(t, err)
	require.NoError(t, os.Rename(path, path+".old"))

	model, differs, err := k.Model(withLogin(model...))
	require.NoError(t, err)
	assert.True(t, differs)
	require.Len(t, model, 1, "new instances do not accept the earlier one")
	second := k.Current()
	assert.NotEqual(t, first.ID, second.ID)
	for _, k := range []*Keyring{k, open(t, path)} {
		for _, pair := range []*Pair{first, second} {
			private, ok := k.Private([]vmss.KeyID{1, pair.ID})
			assert.True(t, ok)
			assert.Equal(t, string(pair.Private), string(private))
		}
		private, ok := k.Private([]vmss.KeyID{first.ID, second.ID})
		assert.True(t, ok)
		assert.Equal(t, string(second.Private), string(private), "the current one goes first")
		_, ok = k.Private([]vmss.KeyID{1})
		assert.False(t, ok)
		_, ok = k.Private([]vmss.KeyID{})
		assert.False(t, ok)
		private, ok = k.Private(nil)
		assert.True(t, ok)
		assert.Equal(t, string(second.Private), string(private), "where Azure does not tell")
	}
}

// TestFilesBesideTheKey: what is no earlier key does no harm, whatever its name.
func TestFilesBesideTheKey(t *testing.T) {
	path := inNewDir(t)
	first := open(t, path).Current()
	require.NoError(t, os.Rename(path, path+".old"))
	require.NoError(t, os.WriteFile(path+".txt", []byte("the key of the runners"), 0o600))
	require.NoError(t, os.Mkdir(path+".d", 0o700))
	public, err := Generate(Ed25519)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".bak", public.Private, 0o644)) //nolint:gosec // that is the point
	k := open(t, path)
	private, ok := k.Private([]vmss.KeyID{first.ID})
	assert.True(t, ok)
	assert.Equal(t, first.Private, private)
	reasons := map[string]string{}
	for _, s := range k.Skipped() {
		reasons[strings.TrimPrefix(s.Path, path)] = s.Reason
	}
	want := map[string]string{".d": "is a directory", ".txt": "is no private key of SSH without a passphrase"}
	if runtime.GOOS != "windows" {
		want[".bak"] = "can be read by every user of this machine (mode 0644)"
	}
	assert.Equal(t, want, reasons)
}

// TestPartOfAKeyIsRemoved: every later start would refuse it.
func TestPartOfAKeyIsRemoved(t *testing.T) {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "id_ci"), os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0o600)
	require.NoError(t, err)
	require.Error(t, fill(f, []byte("x"), 0o600), "it was opened for reading, in place of a full disk")
	assert.NoFileExists(t, f.Name())
}

// TestEarlierKeyOfAnotherManagerAlone: that an earlier key is there is no reason to write.
func TestEarlierKeyOfAnotherManagerAlone(t *testing.T) {
	path := inNewDir(t)
	k := open(t, path)
	before, _, err := k.Model(withLogin())
	require.NoError(t, err)
	require.NoError(t, os.Rename(path, path+".1"))
	after, _, err := k.Model(withLogin(before...))
	require.NoError(t, err)
	_, differs, err := k.Model(withLogin(append(after, before...)...))
	require.NoError(t, err)
	assert.False(t, differs)

	byHand := vmss.PublicKey{Data: strings.Fields(before[0].Data)[0] + " " + strings.Fields(before[0].Data)[1] + " ops"}
	keys, _, err := k.Model(withLogin(byHand))
	require.NoError(t, err)
	assert.Equal(t, byHand, keys[0], "what the plugin did not add, it does not remove")
}

// TestDeletedFile is a rotation, too, but for what a restart forgets.
func TestDeletedFile(t *testing.T) {
	path := inNewDir(t)
	k := open(t, path)
	first := k.Current()
	require.NoError(t, os.Remove(path))
	_, _, err := k.Model(withLogin())
	require.NoError(t, err)
	_, ok := k.Private([]vmss.KeyID{first.ID})
	assert.True(t, ok)
	_, ok = open(t, path).Private([]vmss.KeyID{first.ID})
	assert.False(t, ok)
}

// TestRotationByAnotherProcess: an instance may have a key that this process has not read.
func TestRotationByAnotherProcess(t *testing.T) {
	path := inNewDir(t)
	k := open(t, path)
	require.NoError(t, os.Rename(path, path+".old"))
	other := open(t, path)
	private, ok := k.Private([]vmss.KeyID{other.Current().ID})
	require.True(t, ok)
	assert.Equal(t, string(other.Current().Private), string(private))
}

// TestFileThatIsSpoiledLater: what was read before serves on.
func TestFileThatIsSpoiledLater(t *testing.T) {
	path := inNewDir(t)
	k := open(t, path)
	first := k.Current()
	require.NoError(t, os.WriteFile(path, []byte("spoiled"), 0o600))
	_, _, err := k.Model(withLogin())
	require.NoError(t, err)
	assert.Equal(t, first, k.Current())
}

func TestDefaultFile(t *testing.T) {
	const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/CI"
	of := func(id string, env map[string]string) string {
		return filepath.ToSlash(DefaultFile(id, func(key string) string { return env[key] }))
	}
	file := of(id, map[string]string{"CONFIG_FILE": "/srv/runner/config.toml"})
	if runtime.GOOS != "windows" {
		assert.Regexp(t, `^/srv/runner/fleeting-plugin-azure/id_ci-[0-9a-f]{8}$`, file)
		assert.Equal(t, file, of(strings.ToUpper(id), map[string]string{"CONFIG_FILE": "/srv/runner/other.toml"}))
		assert.NotEqual(t, file, of(strings.Replace(id, "/g/", "/h/", 1), map[string]string{"CONFIG_FILE": "/srv/runner/config.toml"}))
		home := "/home/runner/.gitlab-runner"
		if os.Getuid() == 0 {
			home = "/etc/gitlab-runner"
		}
		assert.True(t, strings.HasPrefix(of(id, map[string]string{"HOME": "/home/runner"}), home+"/fleeting-plugin-azure/id_ci-"))
		assert.True(t, strings.HasPrefix(of(id, nil), "/etc/gitlab-runner/"))
	}
}
