package config

import (
	"slices"
	"strings"
)

// expandName replaces a resource ID in Name with its parts.
func (p *parser) expandName() {
	c := &p.config
	if !strings.Contains(c.Name, "/") {
		return
	}
	id, reason := parseScaleSetID(c.Name)
	if reason != "" || p.wrong["name"] {
		// A corrected resource ID would provide these.
		p.wrong["subscription_id"], p.wrong["resource_group_name"] = true, true
		return
	}
	c.Name = id.Name
	p.requireEqual("subscription_id", &c.SubscriptionID, id.SubscriptionID)
	p.requireEqual("resource_group_name", &c.ResourceGroupName, id.ResourceGroupName)
}

func (p *parser) requireEqual(key string, given *string, fromID string) {
	if *given == "" {
		*given = fromID
	}
	if p.wrong[key] || strings.EqualFold(*given, fromID) {
		return
	}
	p.report("%s %s differs from %s in the resource ID given as name; remove %s or make them agree",
		key, show(*given), show(fromID), key)
}

func (p *parser) fillDefaults() {
	for _, o := range table {
		if v := o.at(&p.config); *v == "" && !p.tableGiven(o) {
			*v = o.Default
		}
	}
}

func (p *parser) tableGiven(o Option) bool {
	return slices.ContainsFunc(o.Keys, func(k Option) bool { return *k.at(&p.config) != "" })
}

// requireKeys reports the missing keys among those needed with any credential.
func (p *parser) requireKeys(prefix string, options []Option) {
	for _, o := range options {
		key := prefix + o.Key
		if o.Required == "" || len(o.NeededBy) > 0 || p.wrong[key] || *o.at(&p.config) != "" {
			continue
		}
		p.report("%s is missing; %s", key, o.fix())
	}
}

// checkCredential applies the rules that depend on the credential; with an unknown
// one they would only add noise.
func (p *parser) checkCredential() {
	if p.wrong["credential"] {
		return
	}
	for _, o := range table {
		p.fillFromEnv(o)
		p.checkNeed(o)
		p.checkUse(o)
	}
}

func (p *parser) fillFromEnv(o Option) {
	if *o.at(&p.config) == "" && !p.wrong[o.Key] && slices.Contains(o.EnvFor, p.config.Credential) {
		p.set(o.Key, o, o.Env, p.getenv(o.Env))
	}
}

func (p *parser) checkNeed(o Option) {
	credential := p.config.Credential
	if !slices.Contains(o.NeededBy, credential) || p.wrong[o.Key] || *o.at(&p.config) != "" {
		return
	}
	if o.StandIn != "" && p.getenv(o.StandIn) != "" {
		return
	}
	or := ""
	if env := o.Env + o.StandIn; env != "" {
		or = ", or set " + env + " in the runner's environment"
	}
	p.report("%s is missing and credential %q needs it; %s%s", o.Key, credential, o.fix(), or)
}

func (p *parser) checkUse(o Option) {
	credential := p.config.Credential
	if len(o.OnlyFor) == 0 || slices.Contains(o.OnlyFor, credential) || *o.at(&p.config) == "" {
		return
	}
	p.report("%s is not used by credential %q; set credential to %q or remove %s",
		o.Key, credential, orList(o.OnlyFor), o.Key)
}
