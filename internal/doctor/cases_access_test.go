package doctor_test

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
)

const weakClient = "00000000-0000-4000-8000-0000000000dd"

// weak has the roles alone, and signs in instead of who may do everything.
func weak(roles ...armsim.Role) armsim.Config {
	return armsim.Config{Principals: []armsim.Principal{
		{ClientID: armsim.DefaultClientID, Secret: "admin"}, {ClientID: weakClient, Secret: "weak", ObjectID: weakClient, Roles: roles},
	}}
}

func asWeak(p *place) error {
	p.env["AZURE_CLIENT_SECRET"] = "weak"
	return p.edit(armsim.DefaultClientID, weakClient)
}

func asAdmin(p *place) error {
	p.env["AZURE_CLIENT_SECRET"] = "admin"
	return p.edit(weakClient, armsim.DefaultClientID)
}

// registration registers a provider, or ends that, and waits in virtual time.
func registration(namespace, verb string) step {
	return func(p *place) error {
		defer time.Sleep(time.Minute)
		return p.do("POST", "/subscriptions/"+p.setup.Spec.Subscription+"/providers/"+namespace+"/"+verb, "2022-09-01", nil)
	}
}

func lock(level string, scope func(*place) string) step {
	return func(p *place) error {
		return p.do("PUT", scope(p)+"/providers/Microsoft.Authorization/locks/keep", "2016-09-01", body{"properties": body{"level": level}})
	}
}

func unlock(scope func(*place) string) step {
	return func(p *place) error {
		return p.do("DELETE", scope(p)+"/providers/Microsoft.Authorization/locks/keep", "2016-09-01", nil)
	}
}

func secret(value string) step {
	return func(p *place) error {
		if p.env["RIGHT"] == "" {
			p.env["RIGHT"] = p.env["AZURE_CLIENT_SECRET"]
		}
		p.env["AZURE_CLIENT_SECRET"] = value
		return nil
	}
}

func rightSecret(p *place) error {
	p.env["AZURE_CLIENT_SECRET"] = p.env["RIGHT"]
	return nil
}

// accessCases are about who signs in, and what keeps it from anything.
func accessCases() map[string]cloudCase {
	group := (*place).group
	above := func(p *place) string { return "/subscriptions/" + p.setup.Spec.Subscription }
	set := func(p *place) string { return p.setup.Spec.ScaleSetID() }
	const other = "00000000-0000-4000-8000-0000000000ee"
	return map[string]cloudCase{
		"a lock": {
			broken: lock("CanNotDelete", group), fixed: unlock(group),
			check: "locks", level: doctor.Fault, text: "instances cannot be deleted", fix: "az lock delete --ids ",
		},
		"a read-only lock": {
			broken: lock("ReadOnly", group), fixed: unlock(group),
			check: "locks", level: doctor.Fault, text: "nothing can be scaled", fix: "az lock delete --ids ",
		},
		"a lock on the scale set": {
			broken: lock("CanNotDelete", set), fixed: unlock(set),
			check: "locks", level: doctor.Fault, text: "instances cannot be deleted", fix: "az lock delete --ids ",
		},
		"a lock on the subscription": {
			broken: lock("ReadOnly", above), fixed: unlock(above),
			check: "locks", level: doctor.Fault, text: "nothing can be scaled", fix: "az lock delete --ids ",
		},
		"no provider of networks": {
			broken: registration("Microsoft.Network", "unregister"), fixed: registration("Microsoft.Network", "register"),
			check: "providers", level: doctor.Fault, text: "Microsoft.Network is Unregistered", fix: "az provider register --namespace Microsoft.Network --wait", hides: true,
		},
		"wrong secret": {
			broken: secret("wrong"), fixed: rightSecret,
			check: "credential", level: doctor.Fault, text: "AADSTS7000215", fix: "secret",
		},
		"no secret": {
			broken: secret(""), fixed: rightSecret,
			check: "options", level: doctor.Fault, text: "client_secret", fix: "AZURE_CLIENT_SECRET", hides: true,
		},
		"unknown client": {
			broken: edits(armsim.DefaultClientID, other), fixed: edits(other, armsim.DefaultClientID),
			check: "credential", level: doctor.Fault, text: "AADSTS700016", fix: "client_id",
		},
		"another tenant": {
			broken: edits(armsim.DefaultTenantID, other), fixed: edits(other, armsim.DefaultTenantID),
			check: "credential", level: doctor.Fault, text: "AADSTS90002", fix: "tenant_id",
		},
		"another subscription": {
			broken: edits(armsim.DefaultSubscriptionID, other), fixed: edits(other, armsim.DefaultSubscriptionID),
			check: "scale-set", level: doctor.Fault, text: "SubscriptionNotFound", fix: "subscription_id", hides: true,
		},
		"deletion is not allowed": {
			config: armsim.Config{Principals: []armsim.Principal{
				{ClientID: armsim.DefaultClientID, Secret: "admin"},
				{ClientID: weakClient, Secret: "weak", Actions: []string{
					"*/read", "Microsoft.Compute/virtualMachineScaleSets/write", "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write",
					"Microsoft.Compute/virtualMachineScaleSets/start/action", "Microsoft.Compute/virtualMachineScaleSets/deallocate/action",
				}},
			}},
			broken: asWeak, fixed: asAdmin,
			check: "permissions", level: doctor.Fault, text: "Microsoft.Compute/virtualMachineScaleSets/delete/action", fix: "--role-definition",
		},
	}
}
