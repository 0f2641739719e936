package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/sshkeys"
)

// othersMay are the permission bits of everybody but the owner and the group.
const othersMay os.FileMode = 0o007

// checkSecrets: the runner's token is in the file in any case.
func checkSecrets(s *subject) (found []Finding) {
	if s.scaler.Connector.Password != "" {
		found = append(found, warning(s.line("connector_config", "password"), "the password of all instances stands in the file",
			"use a key: set key_path to the private key whose public half is in the scale set's model, and leave password out"))
	}
	if s.File.Mode&othersMay != 0 && runtime.GOOS != "windows" {
		found = append(found, fault(0, fmt.Sprintf("%s can be read by every user of this machine (mode %04o), the runner's token with it", s.File.Path, s.File.Mode), "chmod 600 "+s.File.Path))
	}
	for _, path := range []string{s.config.ClientSecretFile, s.config.ClientCertificateFile} {
		found = append(found, s.privateFile(path, s.line("plugin_config"))...)
	}
	return found
}

// checkLogin looks at the private key that the runner reads itself.
func checkLogin(s *subject) []Finding {
	c := s.scaler.Connector
	switch {
	case s.usesOwnKey():
		return s.checkOwnKey()
	case c.KeyPath == "":
		return nil
	}
	return s.privateFile(c.KeyPath, s.line("connector_config", "key_path"))
}

// usesOwnKey reports whether connector_config leaves the login to the plugin, as far as
// that can be told without the scale set's model.
func (s *subject) usesOwnKey() bool {
	c := s.scaler.Connector
	return c.KeyPath == "" && c.Password == "" && !c.UseStaticCredentials && (c.Protocol == "" || c.Protocol == "ssh") && !strings.EqualFold(c.OS, "windows")
}

// ownKeyFile is where the plugin has its own key, if it has the same environment and user.
func (s *subject) ownKeyFile() string {
	return cmp.Or(s.config.SSHKeyFile, sshkeys.DefaultFile(s.config.ScaleSetID(), s.Getenv))
}

// checkOwnKey: a file that is not there yet is made by the plugin.
func (s *subject) checkOwnKey() []Finding {
	if len(s.bad) > 0 {
		return nil
	}
	file, line := s.ownKeyFile(), s.line("plugin_config", "ssh_key_file")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return []Finding{{Level: OK, Line: line, Text: "connector_config holds no login: the plugin makes a key of its own, " + file}}
	}
	return s.privateFile(file, line)
}

// privateFile is what is wrong with a file that holds a secret.
func (s *subject) privateFile(path string, line int) []Finding {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			_ = f.Close()
		}
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return []Finding{fault(line, fmt.Sprintf("%s does not exist", path), "correct the path, or copy the file there")}
	case err != nil:
		return []Finding{{Level: Skipped, Line: line, Text: fmt.Sprintf("%s cannot be read by this user", path), Fix: "run this as the user that GitLab Runner runs as, or as root"}}
	case info.IsDir():
		return []Finding{fault(line, fmt.Sprintf("%s is a directory", path), "name the file in it")}
	case info.Mode().Perm()&othersMay != 0 && runtime.GOOS != "windows":
		return []Finding{fault(line, fmt.Sprintf("%s can be read by others (mode %04o)", path, info.Mode().Perm()), "chmod 600 "+path)}
	}
	return nil
}
