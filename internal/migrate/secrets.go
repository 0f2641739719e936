package migrate

import (
	"bytes"
	"slices"
	"strings"
)

// leastSecret is the length from which a secret is looked for in the output. Those of
// Entra ID have 34 or more; a shorter one would be found in the middle of words.
const leastSecret = 8

// shareSecrets gives the first secret to the environment of the service, which all
// runners share, and has runners with another one read it from a file.
func (m *migration) shareSecrets() {
	first := ""
	for _, r := range m.runners {
		switch {
		case r.secret == "" || r.secret == first:
		case first == "":
			first = r.secret
		default:
			r.secretFile = "/etc/gitlab-runner/azure-client-secret-" + r.scaleSet
			r.note(Decision, "azure-client-secret", FromConfig, r.given["azure-client-secret"].line, "another one than that of a runner above, and the service has one AZURE_CLIENT_SECRET: "+
				"write this one into "+r.secretFile+", which client_secret_file names, readable by the runner's user alone")
		}
	}
}

// environment is the file for the environment of the service.
func (m *migration) environment() []byte {
	for _, r := range m.runners {
		if r.secret == "" || r.secretFile != "" {
			continue
		}
		return []byte("# For the service of GitLab Runner; readable by root alone. With systemd:\n" +
			"# [Service]\n# EnvironmentFile=/etc/gitlab-runner/azure.env\n" +
			"AZURE_CLIENT_SECRET=" + quoteEnvironment(r.secret) + "\n")
	}
	return nil
}

// checkSecrets makes sure that no secret is in what is shown. It can be, where it was
// written in another place as well.
func (m *migration) checkSecrets(result *Result) error {
	for _, r := range m.runners {
		for _, secret := range r.extra {
			if len(secret) < leastSecret {
				continue
			}
			if err := m.checkSecret(result, secret); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *migration) checkSecret(result *Result, secret string) error {
	shown := []string{result.Config}
	for _, n := range result.Notes {
		shown = append(shown, n.Runner, n.Option, n.Text)
	}
	for _, s := range result.Setups {
		shown = append(append(append(shown, s.Runner), s.Args...), s.Model...)
	}
	for _, s := range shown {
		if !strings.Contains(s, secret) && !strings.Contains(s, strings.Trim(quote(secret), `"`)) {
			continue
		}
		if line := m.keptLine(secret); line > 0 {
			return inputError{line, "the client secret is written outside of MachineOptions, too; remove it there and run migrate again"}
		}
		return inputError{0, "the client secret is also a part of another value in [runners.machine] or the environment; correct that and run migrate again"}
	}
	return nil
}

// keptLine returns the first line with s that stays in the file, 0 if there is none.
func (m *migration) keptLine(s string) int {
	text := m.document.text
	for from := 0; ; {
		n := bytes.Index(text[from:], []byte(s))
		if n < 0 {
			return 0
		}
		at := from + n
		if !slices.ContainsFunc(m.edits, func(e edit) bool { return e.start <= at && at < e.end }) {
			return m.document.line(at)
		}
		from = at + 1
	}
}
