package azure

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// connectorSettings completes connector_config from the scale set's model, and
// checks that it is enough to log in.
func connectorSettings(s provider.Settings, set vmss.ScaleSet) (provider.Settings, error) {
	if s.OS == "" {
		s.OS = strings.ToLower(set.Model.OSType)
	}
	if s.Arch == "" {
		s.Arch = architecture(set.Size)
	}
	if s.Protocol == "" {
		s.Protocol = provider.ProtocolSSH
		if strings.EqualFold(s.OS, "windows") && len(s.Key) == 0 {
			s.Protocol = provider.ProtocolWinRM // it knows passwords only
		}
	}
	if s.Username == "" {
		s.Username = set.Model.Login.AdminUsername
	}
	return s, checkLogin(s)
}

func checkLogin(s provider.Settings) error {
	if s.Username == "" {
		return errors.New("connector_config: username is missing and the scale set's model has none; fix: set username to the user that the image lets in")
	}
	if s.Password == "" && len(s.Key) == 0 && !s.UseStaticCredentials {
		return errors.New("connector_config: no password or private key is configured; fix: set key_path to the private key whose public half is in the scale set's model")
	}
	if s.Protocol != provider.ProtocolSSH {
		return checkWinRM(s)
	}
	if len(s.Key) == 0 {
		return nil
	}
	_, err := ssh.ParsePrivateKey(s.Key)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return errors.New("connector_config: key_path is passphrase-protected, which is not supported; fix: use a key without a passphrase, readable by the runner's user only")
	case err != nil:
		return errors.New("connector_config: key_path is not an SSH private key; fix: name the private half, in PEM or OpenSSH form")
	}
	return nil
}

// checkWinRM: fleeting's WinRM client logs in with a password alone.
func checkWinRM(s provider.Settings) error {
	if s.Password == "" && !s.UseStaticCredentials {
		return fmt.Errorf("connector_config: protocol %q logs in with a password, and none is configured; fix: set password, or protocol = \"ssh\" with key_path", s.Protocol)
	}
	return nil
}

func warnLogin(s provider.Settings, set vmss.ScaleSet, log hclog.Logger) {
	if admin := set.Model.Login.AdminUsername; admin != "" && s.Username != admin {
		log.Warn("connector_config's username is not the scale set's admin user", "username", s.Username, "admin_username", admin,
			"fix", fmt.Sprintf("leave username out to log in as %q, unless the image has the other user", admin))
	}
	if set.Model.Login.PasswordDisabled && len(s.Key) == 0 {
		log.Warn("the scale set's model has password login off, and connector_config has no key", "fix", "set key_path")
	}
}

// armSize finds the feature letter p, by which Azure marks Arm processors, in
// a VM size such as Standard_D4ps_v5 (Microsoft's VM size naming conventions).
var armSize = regexp.MustCompile(`(?i)^standard_[a-z]+\d+(-\d+)?[a-z]*p[a-z]*(_|$)`)

func architecture(size string) string {
	if armSize.MatchString(size) {
		return "arm64"
	}
	return "amd64"
}
