package world

import (
	"strings"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// SystemPrincipal is the object ID of the identity that Azure assigns to the scale set or
// virtual machine of a unique ID.
func SystemPrincipal(uniqueID string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(uniqueID)).String()
}

// HasSystemIdentity reports whether a resource's model asks Azure for an identity.
func HasSystemIdentity(model any) bool {
	return strings.Contains(strings.ToLower(jsonmap.Text(model, "identity.type")), "systemassigned")
}

// followIdentity makes the principal of a resource's own identity known, as long as its model
// asks for one.
func (a *Access) followIdentity(uniqueID string, model any) {
	principal := SystemPrincipal(uniqueID)
	exists, _ := a.PrincipalKnown(principal)
	switch wanted := HasSystemIdentity(model); {
	case wanted && !exists:
		a.AddPrincipal(principal, false)
	case !wanted:
		a.forgetPrincipal(principal)
	}
}
