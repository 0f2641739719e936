package binary_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

const (
	refusedSubnet = "/subscriptions/00000000-0000-4000-8000-0000000000aa/resourceGroups/hub-network/providers/Microsoft.Network/virtualNetworks/hub/subnets/runners"
	refusedSet    = "/subscriptions/00000000-0000-4000-8000-0000000000aa/resourceGroups/ci/providers/Microsoft.Compute/virtualMachineScaleSets/ci"
)

// TestCase07RefusalsNameTheFix: what a user reads where Azure refuses to create
// instances. The fix is about what is in the way, and its name is whole.
func TestCase07RefusalsNameTheFix(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	for name, c := range map[string]struct {
		refusal armsim.ErrorResponse
		want    []string
	}{
		"image gone": {armsim.ErrorResponse{
			Status: 404, Code: "PlatformImageNotFound",
			Message: "The platform image 'Canonical:UbuntuServer:18.04-LTS:18.04.202306070' is not available. Verify that all fields in the storage profile are correct.",
		}, []string{"fix: the image does not exist in this region"}},
		"image deprecated": {armsim.ErrorResponse{
			Status: 404, Code: "ImageVersionDeprecated", Message: "The platform image 'canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:22.04.202501080' is deprecated.",
		}, []string{"fix: the image is not offered any more"}},
		"subnet of another group": {armsim.ErrorResponse{
			Status: 403, Code: "LinkedAuthorizationFailed",
			Message: "The client '11111111-2222-4333-8444-555555555555' with object id '11111111-2222-4333-8444-555555555555' has permission to perform action " +
				"'Microsoft.Compute/virtualMachineScaleSets/write' on scope '" + refusedSet + "'; however, it does not have permission to perform action(s) " +
				"'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '" + refusedSubnet + "' or the linked scope(s) are invalid.",
		}, []string{refusedSubnet, "fix: assign the identity a role with the action Microsoft.Network/virtualNetworks/subnets/join/action", `on the subnet "runners" of resource group "hub-network"`}},
		"gallery of another tenant": {armsim.ErrorResponse{
			Status: 403, Code: "LinkedAuthorizationFailed",
			Message: "The client has permission to perform action 'Microsoft.Compute/galleries/images/versions/read' on scope '" + refusedSet +
				"', however the current tenant '11111111-2222-4333-8444-555555555555' is not authorized to access linked subscription '99999999-2222-4333-8444-555555555555'.",
		}, []string{"fix: the gallery is in a subscription of another tenant"}},
		"terms": {armsim.ErrorResponse{
			Status: 400, Code: "ResourcePurchaseValidationFailed",
			Message: "User failed validation to purchase resources. Error message: 'Legal terms have not been accepted for this item on this subscription.'",
		}, []string{"fix: accept the terms of the image's offer"}},
		"subnet full": {armsim.ErrorResponse{
			Status: 400, Code: "SubnetIsFull", Message: "Subnet " + refusedSubnet + " with address prefix 10.0.0.0/28 does not have enough capacity for 5 IP addresses.",
		}, []string{refusedSubnet, "fix: the subnet has too few free addresses"}},
		"another 400": {armsim.ErrorResponse{Status: 400, Code: "BadRequest", Message: "The value is wrong."}, []string{"fix: correct in the scale set's model"}},
	} {
		t.Run(name, func(t *testing.T) { // in turn: the faults are the simulator's
			require.NoError(t, s.AddFaults(armsim.Fault{Operation: "VirtualMachineScaleSets_Update", Effect: armsim.Effect{Error: &c.refusal}}))
			defer s.ClearFaults()
			p := launch.Open(t, s)
			_, err := p.Increase(t.Context(), 5)
			require.Error(t, err)
			for _, part := range c.want {
				assert.Contains(t, err.Error(), part)
			}
			assert.NotContains(t, err.Error(), "check name")
			require.NoError(t, p.Shutdown(context.WithoutCancel(t.Context())))
		})
	}
}

// TestCase09ManyIdentities: behind HTTP_PROXY is the identity endpoint of a machine
// that has several identities.
func TestCase09ManyIdentities(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	for name, c := range map[string]struct {
		changes []change
		want    string
	}{
		"client_id is sent": {[]change{without("credential"), key("client_id", otherID)}, "InvalidAuthenticationToken"}, // that of no simulator
		"default":           {[]change{without("credential")}, "fix: the machine has several identities: set client_id"},
		"managed identity":  {[]change{key("credential", "managed_identity")}, "fix: the machine has several identities: set client_id"},
		"another client_id": {[]change{key("credential", "managed_identity"), key("client_id", armsim.DefaultClientID)}, "fix: assign the user-assigned identity to this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := &manyIdentities{}
			proxy := httptest.NewServer(at)
			t.Cleanup(proxy.Close)
			b := badInput{name: name, changes: append([]change{nobody, without("HTTPS_PROXY"), variable("HTTP_PROXY", proxy.URL)}, c.changes...), cause: c.want}
			b.check(t, <-b.begin(t, s))
			at.mu.Lock()
			defer at.mu.Unlock()
			assert.NotZero(t, at.asked)
		})
	}
}

type manyIdentities struct {
	mu    sync.Mutex
	asked int
}

func (m *manyIdentities) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.asked++
	m.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Query().Get("client_id") {
	case otherID:
		_, _ = io.WriteString(w, `{"access_token":"x","expires_on":"4000000000","resource":"x","token_type":"Bearer"}`)
	case "":
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"}`)
	default:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_request","error_description":"Identity not found"}`)
	}
}
