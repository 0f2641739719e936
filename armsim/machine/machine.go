package machine

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	gossh "golang.org/x/crypto/ssh"
)

// Machine is one machine: a directory that lasts until Destroy, and between
// Boot and PowerOff a life with SSH servers and processes. Its methods may be
// called at any time from any goroutine.
type Machine struct {
	cfg  Config
	dir  string
	mark string
	installed

	// power is held through a whole Boot, PowerOff or Destroy, so that each
	// waits until the one before it is done; state guards the fields below it.
	power     sync.Mutex
	state     sync.Mutex
	life      *life
	destroyed bool
}

// installed is what the disk holds of who the machine is and who may log in. It is
// replaced while power is held and there is no life.
type installed struct {
	signer gossh.Signer
	keys   []gossh.PublicKey
}

// install makes a host key.
func install(authorizedKeys []string) (installed, error) {
	keys, err := parseKeys(authorizedKeys)
	if err != nil {
		return installed{}, err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return installed{}, fmt.Errorf("generate host key: %w", err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		return installed{}, fmt.Errorf("generate host key: %w", err)
	}
	return installed{signer, keys}, nil
}

// New checks cfg and makes the machine's private directory, open to this
// process's user only. The machine is powered off. The error says which part of
// cfg is wrong, or why the directory could not be made.
func New(cfg Config) (*Machine, error) {
	m, err := newMachine(cfg)
	if err != nil {
		return nil, fmt.Errorf("make machine %q: %w", cfg.Name, err)
	}
	return m, nil
}

func newMachine(cfg Config) (*Machine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	disk, err := install(cfg.AuthorizedKeys)
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(cfg)
	if err != nil {
		return nil, err
	}
	cfg.Addresses = slices.Clone(cfg.Addresses)
	cfg.Env = slices.Clone(cfg.Env)
	mark := "ARMSIM_MACHINE=" + rand.Text()
	return &Machine{cfg: cfg, dir: dir, mark: mark, installed: disk}, nil
}

func makeDir(cfg Config) (string, error) {
	// The directory is HOME, which must be absolute to mean anything to a
	// command that changes its directory.
	parent := cfg.ParentDir
	if parent == "" {
		parent = os.TempDir()
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, cfg.Name+"-")
	if err != nil {
		return "", err
	}
	if err := furnish(dir); err != nil {
		removeAll(dir)
		return "", err
	}
	return dir, nil
}

// furnish makes what is in the directory of a new machine.
func furnish(dir string) error {
	return errors.Join(os.Mkdir(filepath.Join(dir, "tmp"), 0o700), makeTools(dir))
}

// Boot starts an SSH server on every address. The error names the address that
// could not be had; the machine is then powered off. Booting a running machine
// does nothing; a destroyed one does not boot.
func (m *Machine) Boot() error {
	m.power.Lock()
	defer m.power.Unlock()
	if m.Running() {
		return nil
	}
	m.state.Lock()
	defer m.state.Unlock()
	if m.destroyed {
		return fmt.Errorf("boot machine %q: %w", m.cfg.Name, errDestroyed)
	}
	listeners, err := listenAll(context.Background(), m.cfg)
	if err != nil {
		return fmt.Errorf("boot machine %q: %w", m.cfg.Name, err)
	}
	m.life = startLife(m, listeners)
	return nil
}

var errDestroyed = errors.New("the machine is destroyed")

// PowerOff kills the machine: it stops listening, cuts every connection, kills
// every process that runs on it, and returns when all that is done. The
// directory stays. Powering off a machine that is off does nothing.
func (m *Machine) PowerOff() {
	m.power.Lock()
	defer m.power.Unlock()
	m.die(false)
}

// Destroy powers the machine off and removes its directory for good.
// Destroying a machine twice does nothing more.
func (m *Machine) Destroy() {
	m.power.Lock()
	defer m.power.Unlock()
	m.die(true)
	removeAll(m.dir)
}

// Reimage powers the machine off and gives it a new disk: an empty directory under
// the same path, another host key, and these authorized keys in place of those it had.
// The error says which key is wrong, or why the directory could not be made anew.
func (m *Machine) Reimage(authorizedKeys []string) error {
	m.power.Lock()
	defer m.power.Unlock()
	m.die(false)
	if err := m.reimage(authorizedKeys); err != nil {
		return fmt.Errorf("reimage machine %q: %w", m.cfg.Name, err)
	}
	return nil
}

func (m *Machine) reimage(authorizedKeys []string) error {
	m.state.Lock()
	destroyed := m.destroyed
	m.state.Unlock()
	if destroyed {
		return errDestroyed
	}
	disk, err := install(authorizedKeys)
	if err != nil {
		return err
	}
	removeAll(m.dir)
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		return err
	}
	m.installed = disk
	return furnish(m.dir)
}

func (m *Machine) die(forGood bool) {
	m.state.Lock()
	l := m.life
	m.life = nil
	m.destroyed = m.destroyed || forGood
	m.state.Unlock()
	if l != nil {
		l.end()
	}
}

// Dir is the absolute path of the private directory, the machine's disk.
func (m *Machine) Dir() string { return m.dir }

// Running reports whether the machine is booted; it is false from the start of
// PowerOff on.
func (m *Machine) Running() bool {
	m.state.Lock()
	defer m.state.Unlock()
	return m.life != nil
}

// removeAll copes with directories that a command made read-only, as module
// caches are, which os.RemoveAll refuses to empty for anyone but root.
func removeAll(dir string) {
	if os.RemoveAll(dir) == nil {
		return
	}
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
