package sshkeys

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Keyring is the key pair in a file, and those that the file held before. It is safe for
// concurrent use, and several processes may have the same file.
type Keyring struct {
	path, kind, host string

	mu      sync.Mutex
	info    os.FileInfo // of the file when it was read
	current *Pair
	earlier map[vmss.KeyID]*Pair
	skipped []Skipped
}

// Open reads the file, or makes it, and its directory, where there is none. kind is the
// type of a new key: Ed25519 or RSA3072; host is named in the comment of the public half.
// The error names the file and the fix.
func Open(path, kind, host string) (*Keyring, error) {
	k := &Keyring{path: path, kind: kind, host: host, earlier: map[vmss.KeyID]*Pair{}}
	return k, k.refreshLocked()
}

// Current is the pair that new instances get.
func (k *Keyring) Current() *Pair {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// Skipped are the files that could be earlier keys by their names, and are not used.
func (k *Keyring) Skipped() []Skipped {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.skipped
}

// Model returns the SSH public keys that a model is to have, and whether that differs
// from those that it has. The key of the file is added, others are kept. An earlier key
// of the file that the plugin once added is left out along with that: new instances are
// not to accept it. That alone is no reason to write, so that two managers with the same
// key, one of which is ahead, do not undo each other's writes for ever.
//
// A file that was moved away is made anew; so the key is rotated.
func (k *Keyring) Model(login vmss.Login) (keys []vmss.PublicKey, differs bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refreshLocked(); err != nil {
		return nil, false, err
	}
	if k.current.IsAmong(login.PublicKeys) {
		return login.PublicKeys, false, nil
	}
	for _, key := range login.PublicKeys {
		if k.earlier[vmss.KeyIDOf([]byte(key.Data))] == nil || !strings.Contains(key.Data, " "+owner) {
			keys = append(keys, key)
		}
	}
	return append(keys, vmss.PublicKey{Path: PathOf(login), Data: k.current.Line(k.host)}), true, nil
}

// PathOf is where Azure puts the public keys of the model's user: the file that the Azure
// CLI and terraform-provider-azurerm name.
func PathOf(login vmss.Login) string { return "/home/" + login.AdminUsername + "/.ssh/authorized_keys" }

// Private returns the private half of one of an instance's keys, false where none is
// known here. nil keys, of which Azure does not tell, are taken for the current one.
func (k *Keyring) Private(keys []vmss.KeyID) ([]byte, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if keys == nil {
		return k.current.Private, true
	}
	if pair := k.findLocked(keys); pair != nil {
		return pair.Private, true
	}
	_ = k.refreshLocked() // another process may have made it
	if pair := k.findLocked(keys); pair != nil {
		return pair.Private, true
	}
	return nil, false
}

// findLocked prefers the current pair; nil: there is none.
func (k *Keyring) findLocked(keys []vmss.KeyID) *Pair {
	var found *Pair
	for _, id := range keys {
		if id == k.current.ID {
			return k.current
		}
		if pair := k.earlier[id]; pair != nil {
			found = pair
		}
	}
	return found
}

// refreshLocked reads what has changed since the last time. Where that fails, what was
// read before serves on; a file that is gone and cannot be made again is an error.
func (k *Keyring) refreshLocked() error {
	info, err := os.Stat(k.path)
	if err == nil && k.info != nil && os.SameFile(info, k.info) && info.ModTime().Equal(k.info.ModTime()) {
		return nil
	}
	var pair *Pair
	if errors.Is(err, fs.ErrNotExist) {
		pair, err = create(k.path, k.kind)
	} else if pair, err = read(k.path); err != nil && k.current != nil {
		return nil
	}
	if err != nil {
		return err
	}
	earlier, skipped, err := replaced(k.path)
	if err != nil && k.current == nil {
		return err
	}
	k.skipped = skipped
	k.replaceLocked(pair, earlier)
	return nil
}

func (k *Keyring) replaceLocked(pair *Pair, earlier []*Pair) {
	if k.current != nil {
		earlier = append(earlier, k.current) // it may have been deleted rather than moved
	}
	for _, one := range earlier {
		k.earlier[one.ID] = one
	}
	delete(k.earlier, pair.ID)
	k.current = pair
	k.info, _ = os.Stat(k.path)
}
