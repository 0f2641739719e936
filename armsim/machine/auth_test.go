package machine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
	"golang.org/x/crypto/ssh"
)

func TestWhoGetsIn(t *testing.T) {
	s := newSite(t)
	right, wrong := ssh.PublicKeys(s.signer), ssh.PublicKeys(newSigner(t))
	tests := map[string]struct {
		keys, password bool // what the machine is given
		user           string
		auth           []ssh.AuthMethod
		in             bool
	}{
		"right key":                  {true, false, "azureuser", []ssh.AuthMethod{right}, true},
		"wrong key":                  {true, false, "azureuser", []ssh.AuthMethod{wrong}, false},
		"right key, wrong user":      {true, false, "root", []ssh.AuthMethod{right}, false},
		"right password":             {false, true, "azureuser", []ssh.AuthMethod{ssh.Password(password)}, true},
		"wrong password":             {false, true, "azureuser", []ssh.AuthMethod{ssh.Password("battery")}, false},
		"empty password":             {false, true, "azureuser", []ssh.AuthMethod{ssh.Password("")}, false},
		"right password, wrong user": {false, true, "root", []ssh.AuthMethod{ssh.Password(password)}, false},
		"key where none is allowed":  {false, true, "azureuser", []ssh.AuthMethod{right}, false},
		"password where none is set": {true, false, "azureuser", []ssh.AuthMethod{ssh.Password("")}, false},
		"wrong key, right password":  {true, true, "azureuser", []ssh.AuthMethod{wrong, ssh.Password(password)}, true},
		"nothing offered":            {true, true, "azureuser", nil, false},
		"nothing set, none offered":  {false, false, "azureuser", nil, false},
		"nothing set, key":           {false, false, "azureuser", []ssh.AuthMethod{right}, false},
		"nothing set, no password":   {false, false, "azureuser", []ssh.AuthMethod{ssh.Password("")}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := loginConfig(s, tt.keys, tt.password)
			client, err := dial(s.boot(cfg).address(0), tt.user, tt.auth...)
			if !tt.in {
				require.ErrorContains(t, err, "unable to authenticate")
				return
			}
			require.NoError(t, err)
			assert.NoError(t, client.Close())
		})
	}
}

func loginConfig(s *site, keys, withPassword bool) machine.Config {
	s.t.Helper()
	cfg := s.config("vm")
	if !keys {
		cfg.AuthorizedKeys = nil
	}
	if withPassword {
		cfg.Password = password
	}
	return cfg
}
