package azure

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"
)

func block(kind string, raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})
}

// usableKeys are the forms in which ssh-keygen, with -m for some, writes a private key.
func usableKeys(t *testing.T) map[string][]byte {
	t.Helper()
	of, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ec, err := x509.MarshalECPrivateKey(curve)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(of)
	require.NoError(t, err)
	openSSH := privateKey(t, "")
	return map[string][]byte{
		"OpenSSH": openSSH, "PEM": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(of)), "EC": block("EC PRIVATE KEY", ec), "PKCS8": block("PRIVATE KEY", pkcs8),
		"CRLF":              bytes.ReplaceAll(openSSH, []byte("\n"), []byte("\r\n")),
		"no line end":       bytes.TrimRight(openSSH, "\n"),
		"text before":       append([]byte("a comment\n"), openSSH...),
		"empty lines":       append([]byte("\n\n"), openSSH...),
		"trailing empties":  append(bytes.Clone(openSSH), "\n\n"...),
		"blanks after it":   append(bytes.Clone(openSSH), "   "...),
		"with its own half": append(bytes.Clone(openSSH), "ssh-ed25519 AAAA me\n"...),
	}
}

func TestUsableKeys(t *testing.T) {
	for name, key := range usableKeys(t) {
		_, _, err := connect(t, provider.ConnectorConfig{Key: key}, scaleSet("Linux"))
		assert.NoError(t, err, name)
	}
}

func utf16Of(s string) []byte {
	raw := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(s)) {
		raw = append(raw, byte(unit), byte(unit>>8))
	}
	return raw
}

// TestCase16KeyFiles: what is in the file is named, and nothing of it is shown.
func TestCase16KeyFiles(t *testing.T) {
	key := string(privateKey(t, ""))
	lines := strings.Split(strings.TrimSpace(key), "\n")
	for name, c := range map[string]struct{ file, want string }{
		"public half":          {"ssh-ed25519 AAAAC3Nz me@host", "but the public half of one"},
		"public RSA half":      {"ssh-rsa AAAAB3Nz me@host", "but the public half of one"},
		"public ECDSA half":    {"ecdsa-sha2-nistp256 AAAA me@host", "the file without .pub"},
		"public half of token": {"sk-ssh-ed25519@openssh.com AAAA me", "but the public half of one"},
		"RFC 4716":             {"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "but the public half of one"},
		"PEM public half":      {string(block("RSA PUBLIC KEY", []byte("x"))), "but the public half of one"},
		"PKCS8 public half":    {string(block("PUBLIC KEY", []byte("x"))), "but the public half of one"},
		"certificate":          {"ssh-ed25519-cert-v01@openssh.com AAAA me", "but an SSH certificate"},
		"X.509":                {string(block("CERTIFICATE", []byte("x"))), "but an X.509 certificate"},
		"PuTTY":                {"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", "puttygen key.ppk -O private-openssh"},
		"passphrase":           {string(privateKey(t, "hunter2")), "is passphrase-protected"},
		"passphrase, PKCS8":    {string(block("ENCRYPTED PRIVATE KEY", []byte("x"))), "is passphrase-protected"},
		"passphrase, PEM":      {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "is passphrase-protected"},
		"SSH2":                 {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA", "ssh-keygen -i"},
		"PGP":                  {string(block("PGP PRIVATE KEY BLOCK", []byte("x"))), "but one of PGP"},
		"BOM":                  {"\xef\xbb\xbf" + key, "byte order mark"},
		"UTF-16":               {string(utf16Of(key)), "it is UTF-16"},
		"CR alone":             {strings.ReplaceAll(key, "\n", "\r"), "not an SSH private key"},
		"literal line breaks":  {strings.ReplaceAll(key, "\n", `\n`), `line breaks are written as \n`},
		"joined":               {strings.ReplaceAll(key, "\n", " "), "not an SSH private key"},
		"indented":             {"  " + strings.Join(lines, "\n  "), "indented or joined"},
		"truncated":            {strings.Join(lines[:len(lines)-1], "\n"), "cut off before its last line"},
		"no first line":        {strings.Join(lines[1:], "\n"), "first line is missing or spoiled"},
		"dashes":               {strings.Replace(key, "-----BEGIN", "—–BEGIN", 1), "first line is missing or spoiled"},
		"a line lost":          {strings.Join(append(lines[:2:2], lines[3:]...), "\n"), "it is damaged"},
		"unsupported":          {string(block("DSA PRIVATE KEY", []byte("x"))), "it is damaged"},
		"blank":                {" \n", "is an empty file"},
		"something else":       {"hunter2", "is not an SSH private key; fix: name the private half"},
	} {
		_, log, err := connect(t, provider.ConnectorConfig{Key: []byte(c.file)}, scaleSet("Linux"))
		require.ErrorContains(t, err, "connector_config: key_path ", name)
		assert.ErrorContains(t, err, c.want, name)
		assert.ErrorContains(t, err, "; fix: ", name)
		assert.NotContains(t, err.Error()+log, "hunter2", name)
		assert.NotContains(t, err.Error(), lines[2][:20], name)
		assert.NotContains(t, err.Error(), "AAAA", name)
		assert.NotContains(t, err.Error(), "\n", name)
	}
	_, err := ssh.ParsePrivateKey([]byte(key))
	require.NoError(t, err)
}
