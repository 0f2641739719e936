package azure

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// checkKey names what is in the file that key_path names where it is no private key.
// Its content is never shown.
func checkKey(key []byte) error {
	_, err := ssh.ParsePrivateKey(key)
	if err == nil {
		return nil
	}
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return keyError("is passphrase-protected, which is not supported", fixPassphrase)
	}
	for _, form := range keyForms {
		if form.found(key) {
			return keyError(form.problem, form.fix)
		}
	}
	return keyError("is not an SSH private key", "name the private half, in PEM or OpenSSH form")
}

func keyError(problem, fix string) error {
	return fmt.Errorf("connector_config: key_path %s; fix: %s", problem, fix)
}

const (
	fixPassphrase = "use a key without a passphrase, readable by the runner's user only"
	fixPublic     = "name the private half: the file without .pub"
	fixCopy       = "copy the file again as it is, for instance with scp"
)

// keyForm is a form of file that ssh-keygen or another tool writes, or that an editor
// makes of one, and that is no private key to log in with.
type keyForm struct {
	found        func([]byte) bool
	problem, fix string
}

// keyForms is searched from the top.
var keyForms = []keyForm{
	{func(key []byte) bool { return len(bytes.TrimSpace(key)) == 0 }, "is an empty file", "write the private key into it"},
	{
		startsWith("\xff\xfe", "\xfe\xff"), "is not an SSH private key as it stands: it is UTF-16, as some editors and PowerShell's > write it",
		"save it as UTF-8 or ASCII without a byte order mark",
	},
	{startsWith("\xef\xbb\xbf"), "is not an SSH private key as it stands: it begins with a byte order mark, as some editors write it", "save it as UTF-8 without a byte order mark"},
	{isCertificate, "is not an SSH private key, but an SSH certificate", "name the private half that belongs to it: the file without -cert.pub"},
	{startsWith("ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"), "is not an SSH private key, but the public half of one", fixPublic},
	{contains("BEGIN SSH2 PUBLIC KEY", "BEGIN PUBLIC KEY", "BEGIN RSA PUBLIC KEY"), "is not an SSH private key, but the public half of one", fixPublic},
	{contains("BEGIN CERTIFICATE"), "is not an SSH private key, but an X.509 certificate", "name the private half of an SSH key: ssh-keygen -t ed25519 makes one"},
	{
		startsWith("PuTTY-User-Key-File"), "is not an SSH private key in PEM or OpenSSH form, but one of PuTTY",
		"convert it: puttygen key.ppk -O private-openssh -o key",
	},
	{contains("BEGIN SSH2 ENCRYPTED PRIVATE KEY"), "is not an SSH private key in PEM or OpenSSH form, but one of another SSH", "convert it: ssh-keygen -i -f key"},
	{contains("BEGIN ENCRYPTED PRIVATE KEY"), "is passphrase-protected, which is not supported", fixPassphrase},
	{contains("BEGIN PGP"), "is not an SSH private key, but one of PGP", "name the private half of an SSH key: ssh-keygen -t ed25519 makes one"},
	{
		func(key []byte) bool { return bytes.Contains(key, []byte(`-----\n`)) }, `is not an SSH private key: its line breaks are written as \n`,
		"write real line breaks",
	},
	{
		func(key []byte) bool {
			return bytes.Contains(key, []byte("PRIVATE KEY")) && !bytes.Contains(key, []byte("-----BEGIN ")) ||
				bytes.ContainsAny(key, "\u2013\u2014")
		},
		"is not an SSH private key: its first line is missing or spoiled", fixCopy,
	},
	{func(key []byte) bool { return !lineStarts(key, "-----BEGIN ") && contains("-----BEGIN ")(key) }, "is not an SSH private key: its lines are indented or joined", fixCopy},
	{func(key []byte) bool { return contains("-----BEGIN ")(key) && !contains("-----END ")(key) }, "is not an SSH private key: it is cut off before its last line", fixCopy},
	{
		contains("BEGIN OPENSSH PRIVATE KEY", "BEGIN PRIVATE KEY", "BEGIN RSA PRIVATE KEY", "BEGIN EC PRIVATE KEY", "BEGIN DSA PRIVATE KEY"),
		"is not an SSH private key that can be used: it is damaged, needs a security token, or is of a type that is no longer supported",
		"test it with ssh-keygen -y -f, or use another: ssh-keygen -t ed25519 makes one",
	},
}

// isCertificate finds the algorithms of OpenSSH's PROTOCOL.certkeys.
func isCertificate(key []byte) bool {
	algorithm, _, _ := strings.Cut(strings.TrimSpace(string(key)), " ")
	return strings.HasSuffix(algorithm, "-cert-v01@openssh.com")
}

func startsWith(prefixes ...string) func([]byte) bool {
	return func(key []byte) bool {
		for _, prefix := range prefixes {
			if bytes.HasPrefix(bytes.TrimLeft(key, " \t\r\n"), []byte(prefix)) {
				return true
			}
		}
		return false
	}
}

func contains(parts ...string) func([]byte) bool {
	return func(key []byte) bool {
		for _, part := range parts {
			if bytes.Contains(key, []byte(part)) {
				return true
			}
		}
		return false
	}
}

func lineStarts(key []byte, prefix string) bool {
	return bytes.HasPrefix(key, []byte(prefix)) || bytes.Contains(key, []byte("\n"+prefix))
}
