package azure

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/sshkeys"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// usesOwnKey reports whether connector_config leaves the login to the plugin: it holds
// none, and the instances are reached over SSH. With use_static_credentials an empty
// password is the login.
func usesOwnKey(s provider.Settings, set vmss.ScaleSet) bool {
	ssh := s.Protocol == "" || s.Protocol == provider.ProtocolSSH
	return s.Password == "" && len(s.Key) == 0 && !s.UseStaticCredentials && ssh && !strings.EqualFold(cmp.Or(s.OS, set.Model.OSType), "windows")
}

// checkOwnKey: Azure gives the model's keys to its admin user alone.
func checkOwnKey(s provider.Settings, set vmss.ScaleSet) error {
	admin := set.Model.Login.AdminUsername
	switch {
	case admin == "":
		return fmt.Errorf("connector_config: no password or private key is configured, and the model of scale set %q has no admin user to whom Azure would give the plugin's own key; fix: set key_path to the private key of a user that the image has, and username to that user", set.Name)
	case s.Username != admin:
		return fmt.Errorf("connector_config: no password or private key is configured, and Azure gives the plugin's own key to the admin user %q, not to %q; fix: leave username out, or set key_path to the private key of that user", admin, s.Username)
	}
	return nil
}

// ownKey is the plugin's own key for a scale set, if connector_config leaves the login to
// it.
type ownKey struct {
	config Config           // of the scale set
	ring   *sshkeys.Keyring // nil: there is none
}

// open reads or makes the key, if it is needed.
func (k *ownKey) open(s provider.Settings, set vmss.ScaleSet, log hclog.Logger) error {
	if !usesOwnKey(s, set) {
		if k.config.SSHKeyFile != "" {
			log.Warn("ssh_key_file has no effect", "reason", "connector_config holds a login, or the instances are reached over WinRM", "fix", "leave ssh_key_file out, or key_path and password")
		}
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	file := cmp.Or(k.config.SSHKeyFile, sshkeys.DefaultFile(k.config.ScaleSetID(), os.Getenv))
	if k.ring, err = sshkeys.Open(file, k.config.SSHKeyType, host); err != nil {
		return fmt.Errorf("connector_config holds no password and no private key, and the plugin's own key: %w", err)
	}
	for _, s := range k.ring.Skipped() {
		log.Warn("a file beside ssh_key_file is not used as an earlier key: it "+s.Reason, "path", s.Path, "fix", "if it is one, let the plugin's user alone read it (chmod 600); else move it to another directory")
	}
	log.Info("instances are logged in to with the plugin's own SSH key", "path", file, "fingerprint", k.ring.Current().Fingerprint)
	return nil
}

// model is what instancegroup is to do about the model's keys.
func (k *ownKey) model(login vmss.Login) ([]vmss.PublicKey, bool, error) {
	if k.ring == nil {
		return login.PublicKeys, false, nil
	}
	return k.ring.Model(login)
}

// complete adds the key with which an instance was made.
func (k *ownKey) complete(login *provider.Settings, m *instancegroup.Member) error {
	if k == nil || k.ring == nil {
		return nil
	}
	private, ok := k.ring.Private(m.SSHKeys)
	if !ok {
		return fmt.Errorf("connect to instance %q: it was made without a key that the plugin has, whose own is %s: by somebody else, before that key was in the scale set's model, or with a key whose file is gone; fix: delete the instance, or put the private half of its key beside ssh_key_file, under the same name with .old after it",
			m.MemberID, k.ring.Current().Fingerprint)
	}
	login.Key = private
	return nil
}
