package config

import (
	"encoding/json"
	"time"
)

// Config is a validated plugin_config.
type Config struct {
	Name              string `json:"name,omitempty"` // empty where there are ScaleSets
	ScaleSets         List   `json:"scale_sets,omitempty"`
	SubscriptionID    string `json:"subscription_id,omitempty"`
	ResourceGroupName string `json:"resource_group_name,omitempty"`

	CreationLimit Duration `json:"creation_limit,omitempty"`
	FailedGrace   Duration `json:"failed_grace,omitempty"`

	SSHKeyFile string `json:"ssh_key_file,omitempty"` // empty: sshkeys.DefaultFile
	SSHKeyType string `json:"ssh_key_type,omitempty"` // of a new key

	SuspendMode  string `json:"suspend_mode,omitempty"`
	WarmPoolSize Number `json:"warm_pool_size,omitempty"`

	UseResourceGraph Switch `json:"use_resource_graph,omitempty"`

	MetricsListen Listen `json:"metrics_listen,omitempty"` // empty: no metrics are served

	Cloud                 Cloud  `json:"cloud,omitzero"`
	APIVersion            string `json:"api_version,omitempty"` // of Microsoft.Compute; empty: the newest that the cloud has
	Credential            string `json:"credential,omitempty"`
	TenantID              string `json:"tenant_id,omitempty"`
	ClientID              string `json:"client_id,omitempty"`
	ClientSecretFile      string `json:"client_secret_file,omitempty"`
	ClientCertificateFile string `json:"client_certificate_file,omitempty"`
}

// Duration is a duration as it is written in config.toml, such as "25m". In a Config
// that Parse returned it is valid.
type Duration string

// Std returns the duration, zero for one that is not valid.
func (d Duration) Std() time.Duration {
	v, err := time.ParseDuration(string(d))
	if err != nil {
		return 0
	}
	return v
}

// Cloud is either one of Azure's clouds by Name, or the three addresses of
// another one, in which case Name is empty.
type Cloud struct {
	Name                    string `json:"-"`
	AuthorityHost           string `json:"authority_host,omitempty"`
	ResourceManagerEndpoint string `json:"resource_manager_endpoint,omitempty"`
	ResourceManagerAudience string `json:"resource_manager_audience,omitempty"`
}

// MarshalJSON writes a named cloud as a string and any other as a table.
func (c Cloud) MarshalJSON() ([]byte, error) {
	if c.Name != "" {
		return json.Marshal(c.Name)
	}
	type fields Cloud
	return json.Marshal(fields(c))
}

// Parse decodes and validates the JSON object that fleeting passes. Keys that a
// credential may take from the environment are filled in through getenv; a nil
// getenv is an empty environment. The error is a [Problems] with every mistake.
func Parse(raw []byte, getenv func(string) string) (Config, error) {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	if problem := checkSyntax(raw); problem != "" {
		return Config{}, Problems{problem}
	}
	p := parser{getenv: getenv, wrong: map[string]bool{}}
	p.object("", table, raw)
	p.checkSets()
	p.expandName()
	p.fillDefaults()
	p.requireKeys("", table)
	p.checkCredential()
	if len(p.problems) > 0 {
		return Config{}, p.problems
	}
	return p.config, nil
}
