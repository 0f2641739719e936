package azure

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/sshkeys"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// connectorSettings completes connector_config from the scale set's model, and
// checks that it is enough to log in.
func connectorSettings(s provider.Settings, set vmss.ScaleSet) (provider.Settings, error) {
	if s.OS == "" {
		s.OS = strings.ToLower(set.Model.OSType)
	}
	if s.Arch == "" {
		s.Arch = architecture(sizeOf(set))
	}
	if s.Username == "" {
		s.Username = set.Model.Login.AdminUsername
	}
	var err error
	if s.Protocol == "" {
		s.Protocol, err = protocolOf(s, set.Model.Login.WinRM)
	}
	if bad := checkLogin(s, set); bad != nil {
		return s, bad
	}
	return s, err
}

// protocolOf chooses the protocol that the scale set's model has. WinRM knows
// passwords only. Its client takes port 5986 for HTTPS, else 5985 (fleeting's
// connector/winrm.go).
func protocolOf(s provider.Settings, listeners vmss.WinRM) (provider.Protocol, error) {
	switch {
	case !strings.EqualFold(s.OS, "windows") || len(s.Key) > 0:
		return provider.ProtocolSSH, nil
	case listeners.HTTPS:
		return provider.ProtocolWinRMHttps, nil
	case listeners.HTTP:
		return provider.ProtocolWinRM, nil
	}
	return provider.ProtocolWinRM, errNoListener
}

var errNoListener = errors.New("connector_config: the scale set's model has no WinRM listener, and no protocol is configured; " +
	"fix: create the scale set with a listener (osProfile.windowsConfiguration.winRM), or set protocol to what the image listens to: winrm, winrm+https, or ssh with key_path")

func checkLogin(s provider.Settings, set vmss.ScaleSet) error {
	if usesOwnKey(s, set) {
		return checkOwnKey(s, set)
	}
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
	return checkKey(s.Key)
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
	if set.Model.Login.PasswordDisabled && len(s.Key) == 0 && !usesOwnKey(s, set) {
		log.Warn("the scale set's model has password login off, and connector_config has no key", "fix", "set key_path")
	}
	warnKey(s, set.Model.Login, log)
	warnListener(s, set.Model.Login.WinRM, log)
}

// warnKey compares key_path with the keys that Azure gives to the admin user. Only
// the image can have others, of which Azure knows nothing: it is no refusal.
func warnKey(s provider.Settings, login vmss.Login, log hclog.Logger) {
	if s.Protocol != provider.ProtocolSSH || len(s.Key) == 0 || s.Username != login.AdminUsername {
		return
	}
	own, err := sshkeys.Parse(s.Key)
	if err != nil || own.IsAmong(login.PublicKeys) {
		return
	}
	if known := sshkeys.Fingerprints(login.PublicKeys); len(known) > 0 {
		log.Warn("the public half of key_path is not among the SSH keys of the scale set's model: no connection can succeed unless the image has it",
			"fingerprint", own.Fingerprint, "model", strings.Join(known, " "), "username", s.Username,
			"fix", "name the private half of a key in the model, or put the public half of key_path into the model: it reaches new instances only")
	}
}

// warnListener compares a configured protocol with the model's listeners.
func warnListener(s provider.Settings, listeners vmss.WinRM, log hclog.Logger) {
	var missing string
	switch {
	case s.Protocol == provider.ProtocolWinRM && !listeners.HTTP:
		missing = "HTTP"
	case s.Protocol == provider.ProtocolWinRMHttps && !listeners.HTTPS:
		missing = "HTTPS"
	default:
		return
	}
	fix := "make sure that the image has a listener of its own, or set protocol to ssh with key_path"
	if listeners.Any() {
		fix = "leave protocol out, which takes the model's, unless the image has a listener of its own"
	}
	log.Warn("the scale set's model has no WinRM listener for the protocol in connector_config", "protocol", s.Protocol, "missing", missing, "fix", fix)
}

// armSize finds the feature letter p, by which Azure marks Arm processors, in
// a VM size such as Standard_D4ps_v5 (Microsoft's VM size naming conventions).
var armSize = regexp.MustCompile(`(?i)^standard_[a-z]+\d+(-\d+)?[a-z]*p[a-z]*(_|$)`)

// sizeOf is the VM size of the instances, or one of them: all sizes of an instance mix have
// the same architecture (Microsoft's page instance-mix-overview).
func sizeOf(set vmss.ScaleSet) string {
	if len(set.Sizes) > 0 {
		return set.Sizes[0]
	}
	return set.Size
}

func architecture(size string) string {
	if armSize.MatchString(size) {
		return "arm64"
	}
	return "amd64"
}
