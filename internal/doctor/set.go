package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/preflight"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/sshkeys"
)

var setChecks = []cloudCheck{
	{"scale-set", "nothing but the plugin adds, replaces or upgrades instances", (*cloud).checkModel},
	{"max-instances", "max_instances fits the scale set", (*cloud).checkMaximum},
	{"autoscale", "Azure's own autoscale is not attached", (*cloud).checkAutoscale},
	{"standby", "no standby pool is attached", (*cloud).checkStandby},
	{"azure-policy", "no policy refuses instances", (*cloud).checkPolicies},
	{"names", "the names of computers fit", (*cloud).checkNames},
	{"addresses", "", (*cloud).checkAddresses},
	{"key", "", (*cloud).checkKey},
	{"size", "the VM size is offered to this subscription", (*cloud).checkSizes},
	{"quota", "the quota suffices for max_instances", (*cloud).checkQuota},
	{"image", "the image exists, and is not outdated", (*cloud).checkImage},
	{"linked", "what the scale set uses of other resource groups may be used", (*cloud).checkLinked},
	{"subnet", "the subnet has addresses for max_instances", (*cloud).checkSubnet},
	{"network", "instances reach the internet, and are not reached from there", (*cloud).checkNetwork},
}

func (c *cloud) checkModel(context.Context) (found []Finding, err error) {
	all := preflight.Check(c.set)
	if mode := c.config.SuspendMode; mode == config.SuspendDeallocate || mode == config.SuspendHibernate {
		all = append(all, preflight.Suspension(c.set, mode == config.SuspendHibernate)...)
	}
	if c.config.WarmPoolSize.Int() > 0 {
		all = append(all, preflight.WarmPool(c.set)...)
	}
	for _, f := range all {
		level := Warning
		if f.Severity == preflight.Refusal {
			level = Fault
		}
		found = append(found, Finding{Level: level, Text: f.Problem, Fix: f.Fix})
	}
	return found, nil
}

func (c *cloud) checkMaximum(context.Context) ([]Finding, error) {
	if most := c.set.MaxSize(); !c.several && c.scaler.MaxInstances > most {
		return []Finding{fault(c.line("max_instances"), fmt.Sprintf("max_instances = %d, and the scale set takes %d", c.scaler.MaxInstances, most), fmt.Sprintf("max_instances = %d", most))}, nil
	}
	return nil, nil
}

func (c *cloud) checkAddresses(context.Context) ([]Finding, error) {
	if c.scaler.Connector.UseExternalAddr && !c.set.Model.HasPublicAddress {
		return []Finding{fault(c.line("connector_config", "use_external_addr"), "use_external_addr is set, and instances have no public address", "leave use_external_addr out, and let the runner be in the same network, or one that is peered with it")}, nil
	}
	return nil, nil
}

// checkKey compares key_path, or the plugin's own key, with the model's keys.
func (c *cloud) checkKey(context.Context) ([]Finding, error) {
	if c.usesOwnKey() {
		return c.checkOwnKeyInModel(), nil
	}
	path, login := c.scaler.Connector.KeyPath, c.set.Model.Login
	content, err := os.ReadFile(path)
	if path == "" || err != nil || len(login.PublicKeys) == 0 {
		return nil, nil // checkLogin speaks of that
	}
	own, err := sshkeys.Parse(content)
	if err != nil {
		return []Finding{fault(c.line("connector_config", "key_path"), path+" is no private key of SSH without a passphrase", "ssh-keygen -t ed25519 -N '' -f "+path+", and put its public half into the model")}, nil
	}
	if !own.IsAmong(login.PublicKeys) {
		known := strings.Join(sshkeys.Fingerprints(login.PublicKeys), ", ")
		return []Finding{fault(c.line("connector_config", "key_path"), fmt.Sprintf("the public half of %s (%s) is not among the model's keys (%s): nobody can log in unless the image has it", path, own.Fingerprint, known), "name the private half of one of them, or run setup again with --ssh-key "+path+".pub; only new instances get it")}, nil
	}
	return []Finding{{Level: OK, Text: "key_path is the private half of a key in the model"}}, nil
}

// checkOwnKeyInModel: the plugin adds its key itself, for the model's admin user.
func (c *cloud) checkOwnKeyInModel() []Finding {
	login, user, line := c.set.Model.Login, c.scaler.Connector.Username, c.line("connector_config")
	switch {
	case strings.EqualFold(c.set.Model.OSType, "windows"):
		return []Finding{fault(line, "connector_config has neither key_path nor password, and the plugin's own key is for Linux: nobody can log in to an instance", "set password, or key_path with protocol = \"ssh\"")}
	case login.AdminUsername == "":
		return []Finding{fault(line, "connector_config has neither key_path nor password, and the model has no admin user to whom Azure would give the plugin's own key", "set key_path and username to what the image has")}
	case user != "" && user != login.AdminUsername:
		return []Finding{fault(line, fmt.Sprintf("Azure gives the plugin's own key to the admin user %q, not to %q", login.AdminUsername, user), "leave username out, or set key_path to the private key of that user")}
	}
	content, err := os.ReadFile(c.ownKeyFile())
	if err != nil {
		return nil // checkLogin speaks of that
	}
	own, err := sshkeys.Parse(content)
	switch {
	case err != nil:
		return []Finding{fault(line, c.ownKeyFile()+" is no private key of SSH without a passphrase", "mv "+c.ownKeyFile()+" "+c.ownKeyFile()+"-spoiled: the plugin makes another")}
	case own.IsAmong(login.PublicKeys):
		return []Finding{{Level: OK, Text: "the plugin's own key (" + own.Fingerprint + ") is in the model"}}
	}
	return []Finding{{Level: OK, Text: "the plugin's own key (" + own.Fingerprint + ") is not in the model yet: it is added with the first increase"}}
}

// offered are the sizes of the region, of which Azure sends megabytes: they are read once.
func (c *cloud) offered(ctx context.Context) (_ map[string]offer.Size, err error) {
	if c.sizes == nil {
		c.sizes, err = offer.Sizes(ctx, c.azure, c.config.SubscriptionID, c.model.Location)
	}
	return c.sizes, err
}

func (c *cloud) checkSizes(ctx context.Context) (found []Finding, err error) {
	offered, err := c.offered(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range c.model.sizes() {
		info, ok := offered[strings.ToLower(name)]
		if !ok {
			found = append(found, fault(0, fmt.Sprintf("%s is not offered in %s", name, c.model.Location), "az vm list-skus --location "+c.model.Location+" --resource-type virtualMachines -o table"))
			continue
		}
		if reason := info.Restriction(c.model.Zones); reason != "" {
			found = append(found, fault(0, fmt.Sprintf("%s is restricted for this subscription in %s (%s)", name, c.model.Location, reason), "choose another size, or ask Azure's support for it: az vm list-skus --location "+c.model.Location+" --all -o table"))
		}
		if zone := info.MissingZone(c.model.Zones); zone != "" {
			found = append(found, fault(0, fmt.Sprintf("%s is not offered in zone %s of %s", name, zone, c.model.Location), "az vmss update --ids "+c.setID()+" --vm-sku SIZE, of: az vm list-skus --location "+c.model.Location+" --zone -o table"))
		}
		if c.model.Properties.Profile.Storage.Disk.Ephemeral.Option != "" && !info.Can("EphemeralOSDiskSupported") {
			found = append(found, fault(0, name+" takes no ephemeral OS disk, which the model wants", "az vmss update --ids "+c.setID()+" --vm-sku SIZE, with a cache or temporary disk that is large enough, as Standard_D2ds_v5"))
		}
		if c.set.IsSpot() && strings.EqualFold(info.Capability("LowPriorityCapable"), "False") {
			found = append(found, fault(0, name+" is not offered as Spot", "choose another size, or a regular scale set"))
		}
	}
	return found, nil
}

func (c *cloud) checkQuota(ctx context.Context) (found []Finding, err error) {
	offered, err := c.offered(ctx)
	if err != nil {
		return nil, err
	}
	usages, err := offer.Usages(ctx, c.azure, c.config.SubscriptionID, c.model.Location)
	if err != nil {
		return nil, err
	}
	info := offered[strings.ToLower(c.model.sizes()[0])]
	cores := info.Cores()
	names := []string{"cores", info.Family}
	if c.set.IsSpot() {
		names = []string{"lowPriorityCores"}
	}
	for _, name := range names {
		if u, ok := usages[strings.ToLower(name)]; ok && cores > 0 {
			found = append(found, c.judge(u, cores)...)
		}
	}
	return found, nil
}

// judge compares what is left of a quota with what max_instances takes.
func (c *cloud) judge(u offer.Usage, cores int) []Finding {
	most, left := c.scaler.MaxInstances, (u.Limit-u.Current)/cores+int(c.set.Capacity)
	if most == 0 || left >= most || c.servesInPart(left) {
		return nil
	}
	f := warning(c.line("max_instances"), fmt.Sprintf("of max_instances = %d instances with %d vCPUs each, the quota %s leaves room for %d (%d of %d vCPUs are used)", most, cores, u.Name.Value, left, u.Current, u.Limit),
		fmt.Sprintf("max_instances = %d, or ask for more: https://aka.ms/ProdportalCRP", left))
	if left <= 0 && !c.several {
		f.Level = Fault
	}
	return []Finding{f}
}

// servesInPart reports whether it is in order that the scale set has room for no more: the
// runner's others make the rest.
func (c *cloud) servesInPart(left int) bool { return c.several && left > 0 }
