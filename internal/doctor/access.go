package doctor

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

var accessChecks = []cloudCheck{
	{"permissions", "the identity has all permissions that the plugin needs", (*cloud).checkPermissions},
	{"locks", "no lock is in the way", (*cloud).checkLocks},
	{"providers", "the resource providers are registered", (*cloud).checkProviders},
}

// metadata is where a managed identity gets its tokens, which no proxy can reach.
const metadata = "169.254.169.254"

func checkProxy(s *subject) []Finding {
	proxy := cmp.Or(s.Getenv("HTTPS_PROXY"), s.Getenv("https_proxy"), s.Getenv("HTTP_PROXY"), s.Getenv("http_proxy"))
	without := cmp.Or(s.Getenv("NO_PROXY"), s.Getenv("no_proxy"))
	if proxy == "" || without == "*" || strings.Contains(without, metadata) || s.config.Credential != "managed_identity" && s.config.Credential != "default" {
		return nil
	}
	return []Finding{warning(0, "a proxy is set, and NO_PROXY does not leave out "+metadata+": the managed identity may get no token", "NO_PROXY="+strings.Trim(without+","+metadata, ",")+" in the runner's environment")}
}

// claims are what an access token says of its owner. It is Azure's affair whether it is
// genuine.
type claims struct {
	Application string `json:"appid"`
	Object      string `json:"oid"`
	Tenant      string `json:"tid"`
	User        string `json:"upn"`
	Issued      int64  `json:"iat"`
}

func readClaims(token string) (c claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return c, false
	}
	return c, json.Unmarshal(payload, &c) == nil
}

// clockSkew is how far this machine's clock may be off; Entra ID tolerates five minutes.
const clockSkew = 5 * time.Minute

// object names the principal that roles are assigned to. A token for an application
// without a service principal in the tenant has none.
func (c claims) object() string {
	if c.Object == "" {
		return "whose token names no object"
	}
	return "object " + c.Object
}

// signIn gets a token, and tells whose it is: by object ID, or by application ID, which
// az role assignment create takes, too.
func (s *subject) signIn(ctx context.Context, azure Azure) (_ []Finding, owner string, _ error) {
	token, _, err := azure.Token(ctx)
	if err != nil {
		return []Finding{failed(s, "credential", err)}, "", err
	}
	text := fmt.Sprintf("signed in with credential %q", s.config.Credential)
	c, ok := readClaims(token)
	if ok {
		text += fmt.Sprintf(" as %s, %s, tenant %s", cmp.Or(c.User, "application "+c.Application), c.object(), c.Tenant)
	}
	found := []Finding{{Check: "credential", Level: OK, About: s.name, Text: text}}
	if off := time.Since(time.Unix(c.Issued, 0)).Abs(); ok && c.Issued > 0 && off > clockSkew && off < 30*24*time.Hour {
		// A token may come from a cache and be some hours old; one from the future may not.
		if time.Unix(c.Issued, 0).After(time.Now()) {
			found = append(found, Finding{Check: "clock", Level: Fault, About: "this machine", Text: fmt.Sprintf("its clock is %s behind Azure's: tokens are not yet valid here", off.Round(time.Second)), Fix: "timedatectl set-ntp true"})
		}
	}
	return found, cmp.Or(c.Object, c.Application), nil
}

// permission is what one assignment allows.
type permission struct {
	Actions    []string `json:"actions"`
	NotActions []string `json:"notActions"`
}

// allows reports whether some permission has the action: what one excludes, another may
// allow all the same (Microsoft.Authorization, permissions).
func allows(all []permission, action string) bool {
	return slices.ContainsFunc(all, func(p permission) bool {
		return matchesAny(p.Actions, action) && !matchesAny(p.NotActions, action)
	})
}

// matchesAny takes "/*/" for nothing, too: Managed Identity Operator has
// userAssignedIdentities/*/assign/action, and is documented to allow
// userAssignedIdentities/assign/action.
func matchesAny(patterns []string, action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		return matches(pattern, action) || matches(strings.ReplaceAll(pattern, "/*/", "/"), action)
	})
}

// matches compares an action with a pattern, in which * stands for anything.
func matches(pattern, action string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(action, parts[0]) {
		return false
	}
	if len(parts) == 1 {
		return action == pattern
	}
	action = action[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(action, part)
		if at < 0 {
			return false
		}
		action = action[at+len(part):]
	}
	return strings.HasSuffix(action, parts[len(parts)-1])
}

func (c *cloud) checkPermissions(ctx context.Context) ([]Finding, error) {
	all, err := c.permissions(ctx, armops.ListPermissions, c.groupID())
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, o := range armops.In(c.mode(ctx)) {
		if c.config.SuspendMode == config.SuspendOff && armops.IsForSuspension(o.Action) {
			continue
		}
		if !allows(all, o.Action) && !slices.Contains(missing, o.Action) {
			missing = append(missing, o.Action)
		}
	}
	var found []Finding
	for _, action := range missing {
		f := fault(0, "the identity lacks the permission "+action, "fleeting-plugin-azure setup --role-definition > role.json; az role definition update --role-definition role.json, or assign that role: docs/reference/permissions.md")
		if action == "Microsoft.Insights/autoscaleSettings/read" || action == "Microsoft.Compute/locations/operations/read" {
			f.Level = Warning // the plugin works without, and says less
		}
		if c.config.SuspendMode == config.SuspendAuto && armops.IsForSuspension(action) {
			f.Level = Warning // the runner may never ask for it
			f.Fix += `; or set suspend_mode = "off": it is for suspended instances alone`
		}
		f.About = fmt.Sprintf("resource group %q", c.config.ResourceGroupName)
		found = append(found, f)
	}
	return found, nil
}

// mode is the scale set's orchestration mode. Where it cannot be read, Uniform is assumed:
// the permission for that is then among the missing ones.
func (c *cloud) mode(ctx context.Context) armops.Mode {
	var set struct {
		Properties struct {
			Mode string `json:"orchestrationMode"`
		} `json:"properties"`
	}
	if err := c.azure.Get(ctx, armops.GetScaleSet, c.setID(), nil, &set); err == nil && strings.EqualFold(set.Properties.Mode, "Flexible") {
		return armops.Flexible
	}
	return armops.Uniform
}

func (c *cloud) checkLocks(ctx context.Context) (found []Finding, err error) {
	err = c.azure.Each(ctx, armops.ListLocks, c.groupID()+"/providers/Microsoft.Authorization/locks", nil, func(raw json.RawMessage) error {
		var lock struct {
			ID, Name   string
			Properties struct {
				Level string `json:"level"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(raw, &lock); err != nil {
			return err
		}
		what := "instances cannot be deleted"
		if strings.EqualFold(lock.Properties.Level, "ReadOnly") {
			what = "nothing can be scaled"
		}
		f := fault(0, fmt.Sprintf("the lock %q (%s) is in force: %s", lock.Name, lock.Properties.Level, what), "az lock delete --ids "+lock.ID)
		f.About = fmt.Sprintf("resource group %q", c.config.ResourceGroupName)
		found = append(found, f)
		return nil
	})
	return found, err
}

func (c *cloud) checkProviders(ctx context.Context) (found []Finding, err error) {
	for _, namespace := range []string{"Microsoft.Compute", "Microsoft.Network"} {
		var provider struct {
			State string `json:"registrationState"`
		}
		id := "/subscriptions/" + c.config.SubscriptionID + "/providers/" + namespace
		if err := c.azure.Get(ctx, armops.GetProvider, id, nil, &provider); err != nil {
			return nil, err
		}
		if !strings.EqualFold(provider.State, "Registered") {
			f := fault(0, fmt.Sprintf("the resource provider %s is %s", namespace, provider.State), "az provider register --namespace "+namespace+" --wait")
			f.About = "subscription"
			found = append(found, f)
		}
	}
	return found, nil
}
