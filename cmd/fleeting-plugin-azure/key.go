package main

import (
	"errors"
	"fmt"
	"os"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/sshkeys"
)

// sshKey is the key that the runner logs in with.
type sshKey struct {
	path string
	pair *sshkeys.Pair
	made bool // it is a new one, which save writes
}

// readKey reads a private key. Where there is none at that path it makes a pair, which
// save writes.
func readKey(path string) (*sshKey, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		pair, err := sshkeys.Generate(sshkeys.Ed25519)
		return &sshKey{path, pair, true}, err
	}
	if err != nil {
		return nil, fmt.Errorf("--ssh-key: %w; fix: name a private key that this user can read", err)
	}
	pair, err := sshkeys.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("--ssh-key: %s is no private key of SSH without a passphrase; fix: ssh-keygen -t ed25519 -N '' -f %s", path, path)
	}
	return &sshKey{path, pair, false}, nil
}

// save writes a new pair. It comes before anything is made at Azure, which takes the
// public half, and after all that can be checked.
func (k *sshKey) save() error {
	if !k.made {
		return nil
	}
	if err := sshkeys.Save(k.path, k.pair); err != nil {
		return fmt.Errorf("--ssh-key: write %s: %w; fix: --ssh-key names a file in a directory that this user can write", k.path, err)
	}
	return nil
}
