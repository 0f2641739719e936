package arm

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"

	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// sshKeys are public keys that are kept for whoever writes models: a scale set
// refers to a key's text, never to the resource (recording 34).
var sshKeys = keptType{kind: "Microsoft.Compute/sshPublicKeys", params: []string{"sshPublicKey"}, fill: fillKey}

// fillKey takes any type of key that SSH knows; whether Azure takes more than RSA
// and Ed25519 here is not known.
func fillKey(_ *call, model object) *problem {
	key := jsonmap.Text(jsonmap.Ensure(model, "properties"), "publicKey")
	if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key)); key != "" && err != nil {
		return invalidParameter("sshPublicKey.properties.publicKey", "The value of parameter sshPublicKey.properties.publicKey is invalid.")
	}
	return nil
}

func patchKey(c *call) (*response, *problem) {
	g, k, p := sshKeys.find(c)
	if p != nil {
		return nil, p
	}
	model, body := jsonmap.CloneObject(k.Model), jsonmap.CloneObject(c.body)
	dropReadOnly(body)
	jsonmap.Merge(model, body)
	if p := fillKey(c, model); p != nil {
		return nil, p
	}
	k, _ = g.Keep(sshKeys.path(c, 1), sshKeys.kind, model, false)
	return &response{Status: http.StatusOK, Body: c.kept(sshKeys, k)}, nil
}

// generateKeyPair keeps the public half. The private one is never seen again.
func generateKeyPair(c *call) (*response, *problem) {
	g, k, p := sshKeys.find(c)
	if p != nil {
		return nil, p
	}
	private, public, err := newKeyPair(jsonmap.Text(c.body, "encryptionType"))
	if err != nil {
		return nil, invalidParameter("encryptionType", "The value '%s' of parameter 'encryptionType' is invalid.", jsonmap.Text(c.body, "encryptionType"))
	}
	model := jsonmap.CloneObject(k.Model)
	jsonmap.Ensure(model, "properties")["publicKey"] = public
	g.Keep(sshKeys.path(c, 1), sshKeys.kind, model, false)
	return &response{Status: http.StatusOK, Body: object{"id": c.render.odd(k.ID), "publicKey": public, "privateKey": private}}, nil
}

// newKeyPair writes the private half as PEM, RSA's in PKCS #1 and Ed25519's in
// OpenSSH's format; which formats Azure has is believed.
func newKeyPair(encryption string) (private, public string, err error) {
	var key crypto.Signer
	var block *pem.Block
	switch strings.ToLower(encryption) {
	case "", "rsa":
		pair, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return "", "", err
		}
		key, block = pair, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(pair)}
	case "ed25519":
		_, pair, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return "", "", err
		}
		key = pair
		if block, err = ssh.MarshalPrivateKey(pair, ""); err != nil {
			return "", "", err
		}
	default:
		return "", "", errors.New("unknown type of encryption")
	}
	half, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return "", "", err
	}
	authorized := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(half)))
	return string(pem.EncodeToMemory(block)), authorized + " generated-by-azure", nil
}
