package testbed

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// config is what config.toml is made of.
type config struct {
	Options
	Token, URL    string
	Env           map[string]string // of the simulator
	ProtocolPort  string            // empty: 22
	Image, Helper string
	Host          string // of Docker
}

// configText is a config.toml as in examples/, with shorter intervals. A runner
// ignores keys that it does not know, as 15.11 does over update_interval.
var configText = template.Must(template.New("config.toml").Funcs(template.FuncMap{"q": quote}).Parse(`concurrent = {{.Concurrent}}
check_interval = 1
shutdown_timeout = 60
log_format = "json"

[[runners]]
  name = {{q .Executor}}
  url = {{q .URL}}
  token = {{q .Token}}
  executor = {{q .Executor}}
{{- if .Image}}
  [runners.docker]
    image = {{q .Image}}
    helper_image = {{q .Helper}}
    pull_policy = "never"
    network_mode = "host" # to upload artifacts to the stand-in
    host = {{q .Host}}
{{- end}}
  [runners.autoscaler]
    plugin = "fleeting-plugin-azure"
    capacity_per_instance = 1
    max_use_count = {{.MaxUseCount}}
    max_instances = {{.MaxInstances}}
    update_interval = "5s"
    update_interval_when_expecting = "2s"
    [runners.autoscaler.plugin_config]
      name = {{q .Env.ARMSIM_SCALE_SET}}
      subscription_id = {{q .Env.AZURE_SUBSCRIPTION_ID}}
      resource_group_name = {{q .Env.AZURE_RESOURCE_GROUP}}
      credential = "environment"
      [runners.autoscaler.plugin_config.cloud]
        authority_host = {{q .Env.AZURE_AUTHORITY_HOST}}
        resource_manager_endpoint = {{q .Env.ARMSIM_ENDPOINT}}
        resource_manager_audience = {{q .Env.ARMSIM_AUDIENCE}}
    [runners.autoscaler.connector_config]
      key_path = {{q .Env.ARMSIM_SSH_KEY_FILE}}
{{- if .Image}}
      use_static_credentials = true # as the official plugin's users have it
      username = "azureuser"
{{- end}}
      timeout = "30s"
{{- if .ProtocolPort}}
      protocol_port = {{.ProtocolPort}}
{{- end}}
{{- if .KeepState}}
    [runners.autoscaler.state_storage]
      enabled = true
{{- end}}
    [[runners.autoscaler.policy]]
      idle_count = {{.IdleCount}}
      idle_time = {{if .IdleCount}}"20s"{{else}}"1s"{{end}}
`))

// quote writes a TOML string. What is quoted here are addresses, names and
// paths; of Go's escapes they need only those that TOML has, too.
func quote(s string) string { return fmt.Sprintf("%q", s) }

// newToken has the form of a runner's authentication token since GitLab 16.0;
// older runners take it as it is.
func newToken() string { return "glrt-" + rand.Text()[:20] }

func (t *Testbed) prepareConfig() error {
	t.Config = filepath.Join(t.dir, "config.toml")
	c := &t.config
	c.Options, c.URL, c.Env = t.options, t.URL, t.Simulator.Env
	if port := c.Env["ARMSIM_SSH_PORT"]; port != sshPort {
		c.ProtocolPort = port
	}
	if d := t.Docker; d != nil {
		c.Image, c.Helper, c.Host = d.jobImage, d.helper, d.host()
	}
	return t.writeConfig()
}

// SetIdle changes how many instances are kept ready. A running runner reads it
// within three seconds, if it takes policies then.
func (t *Testbed) SetIdle(count int) error {
	t.config.IdleCount = count
	return t.writeConfig()
}

// writeConfig replaces the file in one step: the runner may read it at any time.
func (t *Testbed) writeConfig() error {
	var text bytes.Buffer
	if err := configText.Execute(&text, t.config); err != nil {
		return err
	}
	draft := t.Config + ".new"
	if err := os.WriteFile(draft, text.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, t.Config)
}
