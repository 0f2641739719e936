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

// publicKey is the public half of a private key, in one line. The pair is made if there
// is none at that path; for a look only, it is not written.
func publicKey(path string, lookOnly bool) (string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return makeKey(path, lookOnly)
	}
	if err != nil {
		return "", fmt.Errorf("--ssh-key: %w; fix: name a private key that this user can read", err)
	}
	key, err := ssh.ParsePrivateKey(content)
	if err != nil {
		return "", fmt.Errorf("--ssh-key: %s is no private key of SSH without a passphrase; fix: ssh-keygen -t ed25519 -N '' -f %s", path, path)
	}
	return line(key.PublicKey()), nil
}

func makeKey(path string, lookOnly bool) (string, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil || lookOnly {
		return line(signer.PublicKey()), err
	}
	block, err := ssh.MarshalPrivateKey(private, "fleeting-plugin-azure")
	if err != nil {
		return "", err
	}
	if err := writeFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", fmt.Errorf("--ssh-key: %w; fix: --ssh-key names a file in a directory that this user can write", err)
	}
	return line(signer.PublicKey()), writeFile(path+".pub", []byte(line(signer.PublicKey())+"\n"), 0o644)
}

func line(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}
