package main

import (
	"flag"
	"strings"
)

// subscriptionFlags are of what a client finds before it sets anything up.
func (o *options) subscriptionFlags(f *flag.FlagSet) {
	c := &o.config.Subscription
	f.BoolVar(&c.Empty, "empty", false, "make no resource group")
	f.BoolVar(&c.CheckReferences, "check-references", false, "refuse scale sets that name networks or identities that do not exist")
	f.DurationVar(&c.PrincipalDelay, "principal-delay", 0, "how long role assignments do not know a new identity")
	f.DurationVar(&c.AssignmentDelay, "assignment-delay", 0, "how long a new role assignment gives no right")
	f.Func("not-registered", "`namespaces` of resource providers that are not registered, as Microsoft.ManagedIdentity,Microsoft.Network", func(namespaces string) error {
		c.NotRegistered = append(c.NotRegistered, strings.Split(namespaces, ",")...)
		return nil
	})
	f.BoolVar(&o.config.MetadataService, "metadata-service", false, "an instance metadata service also without --identity, for identities that clients make")
}
