package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// sshKey is the key that the runner logs in with.
type sshKey struct {
	path   string
	public string // its public half, in one line
	made   []byte // the private half of a new one; nil: it is in the file
}

// readKey reads a private key. Where there is none at that path it makes a pair, which
// save writes.
func readKey(path string) (*sshKey, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("--ssh-key: %w; fix: name a private key that this user can read", err)
	}
	key, err := ssh.ParsePrivateKey(content)
	if err != nil {
		return nil, fmt.Errorf("--ssh-key: %s is no private key of SSH without a passphrase; fix: ssh-keygen -t ed25519 -N '' -f %s", path, path)
	}
	return &sshKey{path: path, public: line(key.PublicKey())}, nil
}

func makeKey(path string) (*sshKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "fleeting-plugin-azure")
	if err != nil {
		return nil, err
	}
	return &sshKey{path, line(signer.PublicKey()), pem.EncodeToMemory(block)}, nil
}

// save writes a new pair. It comes before anything is made at Azure, which takes the
// public half, and after all that can be checked.
func (k *sshKey) save() error {
	if k.made == nil {
		return nil
	}
	if err := writeFile(k.path, k.made, 0o600); err != nil {
		return fmt.Errorf("--ssh-key: %w; fix: --ssh-key names a file in a directory that this user can write", err)
	}
	return writeFile(k.path+".pub", []byte(k.public+"\n"), 0o644)
}

func line(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}
