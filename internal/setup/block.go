package setup

import (
	"bytes"
	"text/template"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// Runner is what goes into the runner's configuration beside the Spec.
type Runner struct {
	Executor string // docker-autoscaler or instance
	Max      int    // instances
	Key      string // path of the private key; empty: the plugin has its own
	ClientID string // of the managed identity; empty: that of the machine itself
	Cloud    config.Cloud
}

// manyInstances are so many that jobs asked for one after the other would keep them
// waiting; the doctor warns from there on.
const manyInstances = 10

// Block is the [[runners]] section for the runner's config.toml, with a policy that
// waits little (docs/guides/waiting.md).
func (s *Spec) Block(r Runner) string {
	var b bytes.Buffer
	_ = block.Execute(&b, struct { // of constants and strings: it cannot fail
		*Spec
		Runner
		Docker, Many bool
	}{s, r, r.Executor == "docker-autoscaler", r.Max > manyInstances})
	return b.String()
}

var block = template.Must(template.New("").Parse(`# In config.toml of GitLab Runner; concurrent, at its top, should be {{.Max}} or more.
[[runners]]
  name = {{printf "%q" .Name}}
  url = "https://gitlab.example.com" # yours
  token = "glrt-REPLACE-ME"          # of gitlab-runner register
  executor = {{printf "%q" .Executor}}
{{- if .Many}}
  request_concurrency = 4 # jobs that are asked for at the same time
{{- end}}
{{- if .Docker}}
  [runners.docker]
    image = "alpine:latest"
{{- end}}
  [runners.autoscaler]
    plugin = "fleeting-plugin-azure"
    capacity_per_instance = 1
    max_use_count = 1
    max_instances = {{.Max}}
    instance_ready_command = "cloud-init status --wait || test $? -eq 2"
    [runners.autoscaler.plugin_config]
      name = {{printf "%q" .Name}}
      subscription_id = {{printf "%q" .Subscription}}
      resource_group_name = {{printf "%q" .Group}}
      credential = "managed_identity"
{{- if .ClientID}}
      client_id = {{printf "%q" .ClientID}}
{{- end}}
{{- with .Cloud}}{{if .ResourceManagerEndpoint}}
      [runners.autoscaler.plugin_config.cloud]
        authority_host = {{printf "%q" .AuthorityHost}}
        resource_manager_endpoint = {{printf "%q" .ResourceManagerEndpoint}}
        resource_manager_audience = {{printf "%q" .ResourceManagerAudience}}
{{- else if and .Name (ne .Name "AzurePublic")}}
      cloud = {{printf "%q" .Name}}
{{- end}}{{end}}
{{- if .Key}}
    [runners.autoscaler.connector_config]
      key_path = {{printf "%q" .Key}}
{{- end}}
    # Without preemptive_mode = false (GitLab Runner 18.1) jobs wait several times as long.
    [[runners.autoscaler.policy]]
      idle_count = 0
      idle_time = "20m0s"
      preemptive_mode = false
`))
