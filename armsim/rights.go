package armsim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/entra"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// grantRights assigns roles to the configured principals and identities. All
// rights are role assignments from here on.
func (s setup) grantRights() error {
	principals := slices.Clone(s.config.Principals)
	for _, i := range s.config.Identities {
		principals = append(principals, i.Principal())
	}
	for n := range principals {
		if err := s.grantTo(&principals[n]); err != nil {
			return err
		}
	}
	s.issuer.Directory = s.identityPrincipal
	return nil
}

func (s setup) grantTo(p *Principal) error {
	access, subscription := s.world.Access, "/subscriptions/"+s.config.SubscriptionID
	access.AddPrincipal(p.Object(), true)
	if len(p.Actions) > 0 {
		role := customRole(p, subscription)
		access.PutDefinition(role)
		access.Grant(p.Object(), role, subscription)
	}
	roles := p.Roles
	if len(p.Actions) == 0 && len(roles) == 0 && !p.NoRights {
		roles = []Role{{Name: "Owner"}}
	}
	for _, one := range roles {
		if err := s.assign(p.Object(), one); err != nil {
			return err
		}
	}
	return nil
}

func (s setup) assign(principal string, r Role) error {
	role := s.world.Access.RoleNamed(r.Name)
	if role == nil {
		return fmt.Errorf("role %q of principal %q: there is none of that name; known: %s", r.Name, principal, strings.Join(s.roleNames(), ", "))
	}
	scope := cmp.Or(r.Scope, "/subscriptions/"+s.config.SubscriptionID)
	if strings.HasPrefix(strings.ToLower(scope), "/resourcegroups/") {
		scope = "/subscriptions/" + s.config.SubscriptionID + scope
	}
	s.world.Access.Grant(principal, role, scope)
	return nil
}

func (s setup) roleNames() []string {
	var names []string
	for _, d := range s.world.Access.Definitions() {
		names = append(names, d.RoleName)
	}
	slices.Sort(names)
	return names
}

// customRole has a principal's Actions.
func customRole(p *Principal, subscription string) *world.RoleDefinition {
	return &world.RoleDefinition{
		Name:     uuid.NewSHA1(uuid.NameSpaceURL, []byte("actions of "+p.Object())).String(),
		RoleName: "armsim " + p.Object(), Scopes: []string{subscription},
		Permissions: []world.Permission{{Actions: p.Actions}},
	}
}

// identityPrincipal finds the principal of an identity that a client made. The
// lock is held.
func (s setup) identityPrincipal(client string) *Principal {
	for _, g := range s.world.Groups() {
		for _, r := range g.Resources(world.KindIdentity) {
			if strings.EqualFold(jsonmap.Text(r.Body, "properties.clientId"), client) {
				return &Principal{ClientID: client, ObjectID: jsonmap.Text(r.Body, "properties.principalId")}
			}
		}
	}
	return nil
}

// AttachIdentity gives the virtual machine that clients are said to run on an
// identity that a client made, by its resource ID: its tokens come from the
// instance metadata service, which Config.MetadataService or Identities opens.
func (s *Server) AttachIdentity(resourceID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.world.FindResource(resourceID)
	if r == nil || r.Kind != world.KindIdentity {
		return fmt.Errorf("attach identity %q: there is none of that ID", resourceID)
	}
	s.entra.AttachLocked(entra.Identity{
		ClientID: jsonmap.Text(r.Body, "properties.clientId"), ObjectID: jsonmap.Text(r.Body, "properties.principalId"), ResourceID: r.ID,
	})
	return nil
}
