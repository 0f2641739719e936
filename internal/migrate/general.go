package migrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// fillDefaults takes docker-machine's defaults where an option is missing and its
// default is of use.
func (r *runner) fillDefaults() {
	for _, f := range []struct {
		option string
		at     *string
	}{{"azure-resource-group", &r.group}, {"azure-location", &r.location}, {"azure-ssh-user", &r.sshUser}} {
		if *f.at == "" && !slices.Contains(r.unread, f.option) {
			o, _ := driverOption(f.option)
			*f.at = o.Default
			r.note(Mapped, f.option, FromConfig, 0, fmt.Sprintf("not set, docker-machine's default %s; %s", o.Default, o.Fate))
		}
	}
	if !r.hasIdleTime() {
		r.note(Mapped, "IdleTime", FromConfig, 0, "not set, 0: an instance goes as soon as it is idle. With idle_time = \"20m0s\" later jobs find it ready")
	}
	if r.size == "" {
		r.size = currentSize
		r.note(Changed, "azure-size", FromConfig, 0, currentSize+" in place of docker-machine's default Standard_A2, which Azure has retired")
	}
	if r.image == "" {
		r.image = currentImage
		r.note(Changed, "azure-image", FromConfig, 0, currentImage+" in place of docker-machine's default, Ubuntu 16.04 or 18.04, which gets no updates any more")
	}
}

func (r *runner) hasIdleTime() bool {
	return slices.ContainsFunc(r.leaves(), func(l leaf) bool { return l.group < 0 && is(l.path, "IdleTime") })
}

// noteGeneral notes what changes without being an option.
func (r *runner) noteGeneral() {
	r.note(Changed, "preemptive_mode", FromConfig, 0, "written as false: with idle_count above 0 the runner would take a job only when an instance is ready, "+
		"as docker+machine did, and jobs wait several times as long. Needs GitLab Runner 18.1 (docs/guides/waiting.md)")
	r.note(Changed, "Docker", FromConfig, 0, "docker-machine installed it on each VM; now it has to be in the image, or setup's cloud-init installs it")
	r.note(Changed, "SSH key", FromConfig, 0, "docker-machine made one for each VM; now there is one in the scale set's model, and its private half is "+keyPath)
	if !r.private && !r.noPublic {
		r.note(Decision, "network", FromConfig, 0, "docker-machine connected to public addresses; the new file uses private ones. Give setup the --subnet of the runner's own VM, "+
			"or one that it reaches; a runner outside of Azure needs public addresses on the instances and use_external_addr = true")
	}
	if r.secret == "" {
		r.note(Decision, "credential", FromConfig, 0, "docker-machine signed in through a browser, which the plugin cannot; managed_identity is written: "+
			"give the runner's VM an identity with the role of docs/reference/permissions.md, or choose another credential")
		return
	}
	if r.tenant == "" {
		r.note(Decision, "tenant_id", FromConfig, 0, "docker-machine found the tenant by itself, and the plugin needs it: give migrate --tenant ID "+
			"(az account show --query tenantId --output tsv)")
	}
}

// check has the plugin's own check look at plugin_config.
func (r *runner) check() {
	raw, _ := json.Marshal(map[string]string{ // strings alone always marshal
		"name": r.scaleSet, "subscription_id": r.subscription, "resource_group_name": r.group, "cloud": r.cloud,
		"credential": r.credential(), "tenant_id": r.tenant, "client_id": r.client,
	})
	if r.secret == "" {
		raw, _ = json.Marshal(map[string]string{
			"name": r.scaleSet, "subscription_id": r.subscription, "resource_group_name": r.group, "cloud": r.cloud, "credential": r.credential(),
		})
	}
	_, err := config.Parse(raw, func(name string) string {
		return map[string]string{"AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000000", "AZURE_CLIENT_SECRET": "given"}[name]
	})
	var problems config.Problems
	if !errors.As(err, &problems) {
		return
	}
	for _, p := range problems {
		key, rest, _ := strings.Cut(p, " ")
		r.note(Decision, key, FromConfig, 0, rest)
	}
}
