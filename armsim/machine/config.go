package machine

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	gossh "golang.org/x/crypto/ssh"
)

// Config says who may log in and where the machine is.
type Config struct {
	// Name is the computer name: letters, digits, dots, dashes and underscores.
	// It is part of the directory's name and every command's HOSTNAME.
	Name string
	// Addresses are the loopback addresses the SSH server listens on, at least one.
	Addresses []netip.Addr
	// Port is the SSH port on every address.
	Port int
	// User is the only user that may log in.
	User string
	// Password lets User in; empty means that no password does.
	Password string
	// AuthorizedKeys are public keys in authorized_keys form, one each.
	AuthorizedKeys []string
	// ParentDir is where the private directory is made; empty means the
	// system's directory for temporary files.
	ParentDir string
	// Env holds further KEY=value pairs for every command.
	Env []string
}

func (c Config) validate() error {
	if c.Name == "" || strings.Trim(c.Name, nameCharacters) != "" {
		return errors.New("the name may hold only letters, digits, dots, dashes and underscores")
	}
	if c.User == "" {
		return errors.New("no user is given")
	}
	if c.Port < 1 || c.Port > 65535 {
		return fmt.Errorf("port %d is not between 1 and 65535", c.Port)
	}
	if err := CheckEnv(c.Env); err != nil {
		return err
	}
	return c.validateAddresses()
}

// CheckEnv finds the first entry that Config.Env may not hold.
func CheckEnv(pairs []string) error {
	for _, pair := range pairs {
		if key, value, _ := strings.Cut(pair, "="); !validEnv(key, value) || len(key) == len(pair) {
			return fmt.Errorf("environment entry %q is not of the form KEY=value", pair)
		}
	}
	return nil
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

func (c Config) validateAddresses() error {
	if len(c.Addresses) == 0 {
		return errors.New("no address is given")
	}
	seen := make(map[netip.Addr]bool, len(c.Addresses))
	for _, a := range c.Addresses {
		if !a.IsLoopback() {
			return fmt.Errorf("address %s is not a loopback address", a)
		}
		if seen[a.Unmap()] {
			return fmt.Errorf("address %s is given twice", a)
		}
		seen[a.Unmap()] = true
	}
	return nil
}

func validEnv(key, value string) bool {
	return key != "" && !strings.ContainsAny(key, "=\x00") && !strings.Contains(value, "\x00")
}

func parseKeys(lines []string) ([]gossh.PublicKey, error) {
	keys := make([]gossh.PublicKey, 0, len(lines))
	for i, line := range lines {
		key, _, _, rest, err := gossh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("parse authorized key %d: %w", i+1, err)
		}
		if len(bytes.TrimSpace(rest)) > 0 {
			return nil, fmt.Errorf("parse authorized key %d: more than one line", i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
