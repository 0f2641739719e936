package sshkeys

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// The types of keys that Azure takes (terraform-provider-azurerm, validate/ssh_key.go).
const (
	Ed25519 = "ed25519"
	RSA3072 = "rsa-3072"
)

const rsaBits = 3072

// owner begins the comment of each public key that the plugin makes, and is how it finds
// its own among the keys of a model.
const owner = "fleeting-plugin-azure"

// Pair is a key pair. It is never changed.
type Pair struct {
	Private     []byte // in OpenSSH's form, without a passphrase
	Public      string // in one line, without a comment
	ID          vmss.KeyID
	Fingerprint string // SHA256:…
}

// Generate makes a pair of a type: Ed25519 or RSA3072.
func Generate(kind string) (*Pair, error) {
	var key any
	var err error
	if kind == RSA3072 {
		key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, fmt.Errorf("make an SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, owner)
	if err != nil {
		return nil, fmt.Errorf("make an SSH key: %w", err)
	}
	return Parse(pem.EncodeToMemory(block))
}

// Parse reads the private half of a pair, in any form that ssh-keygen writes.
func Parse(private []byte) (*Pair, error) {
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return nil, err
	}
	line := ssh.MarshalAuthorizedKey(signer.PublicKey())
	return &Pair{
		Private: private, Public: strings.TrimSpace(string(line)), ID: vmss.KeyIDOf(line),
		Fingerprint: ssh.FingerprintSHA256(signer.PublicKey()),
	}, nil
}

// Line is the public half as in authorized_keys. Its comment says that it is the plugin's,
// and of which machine; Model takes no other key out of a model.
func (p *Pair) Line(host string) string { return p.Public + " " + owner + " " + commentOf(host) }

var notInComments = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func commentOf(host string) string {
	return fmt.Sprintf("%.64s", notInComments.ReplaceAllString(host, "-"))
}

// IsAmong reports whether a model holds the pair's public half.
func (p *Pair) IsAmong(keys []vmss.PublicKey) bool {
	for _, key := range keys {
		if vmss.KeyIDOf([]byte(key.Data)) == p.ID {
			return true
		}
	}
	return false
}

// Fingerprints are those of the keys of a model, for people.
func Fingerprints(keys []vmss.PublicKey) (all []string) {
	for _, key := range keys {
		if public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key.Data)); err == nil {
			all = append(all, ssh.FingerprintSHA256(public))
		}
	}
	return all
}
