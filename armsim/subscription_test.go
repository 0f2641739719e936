package armsim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const subscriptionOf = "/subscriptions/" + armsim.DefaultSubscriptionID

func TestGroupExists(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Subscription: armsim.Subscription{Empty: true}})
	group := s.ResourcePath("")
	r := s.send(t, "HEAD", group, nil)
	assert.Equal(t, http.StatusNotFound, r.status)
	assert.Equal(t, "gateway", r.header.Get("x-ms-failure-cause"))
	assert.Empty(t, s.list(t, subscriptionOf+"/resourceGroups"))
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", group, object{"location": "x", "managedBy": "me", "tags": object{"a": "b"}}).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "HEAD", group, nil).status)
	assert.Equal(t, "me", s.get(t, group).text("managedBy"))
	filtered := func(filter string) int {
		return len(s.list(t, subscriptionOf+"/resourceGroups?api-version=2021-04-01&$filter="+url.QueryEscape(filter)))
	}
	assert.Equal(t, []int{1, 0, 0}, []int{filtered("tagName eq 'a' and tagValue eq 'b'"), filtered("tagName eq 'a' and tagValue eq 'c'"), filtered("tagName eq 'b'")})
	assert.Equal(t, http.StatusNotImplemented, s.get(t, subscriptionOf+"/resourceGroups?api-version=2021-04-01&$filter=name").status)
}

// TestGroupGoesWithAll: the resources of a group are listed, and go with it.
func TestGroupGoesWithAll(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 2})
	s.makeNetwork(t)
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "flex", Capacity: 1, OrchestrationMode: "Flexible", PublicAddress: true})
	s.make(t, identityOf(s, "id"), object{})
	group := s.ResourcePath("")
	types := map[string]int{}
	for _, one := range s.list(t, group+"/resources") {
		types[get(one, "type").(string)]++
		assert.Nil(t, get(one, "properties"))
		assert.NotEmpty(t, get(one, "location"), one)
	}
	assert.Equal(t, map[string]int{
		"Microsoft.Compute/virtualMachineScaleSets": 1, "Microsoft.Compute/virtualMachines": 1, "Microsoft.Network/networkInterfaces": 1,
		"Microsoft.Network/publicIPAddresses": 2, "Microsoft.Network/networkSecurityGroups": 1, "Microsoft.Network/natGateways": 1,
		"Microsoft.Network/virtualNetworks": 1, "Microsoft.ManagedIdentity/userAssignedIdentities": 1,
	}, types)
	tagged := s.list(t, group+"/resources?api-version=2021-04-01&$filter="+url.QueryEscape("tagName eq 'made' and tagValue eq 'by-test'"))
	require.Len(t, tagged, 1)
	assert.Equal(t, "nsg", get(tagged[0], "name"))

	r := s.send(t, "DELETE", group, nil)
	require.Equal(t, http.StatusAccepted, r.status)
	s.Advance(removal)
	assert.Empty(t, s.list(t, group+"/providers/Microsoft.Compute/virtualMachineScaleSets"), "the scale set goes first")
	assert.Equal(t, http.StatusOK, s.get(t, s.network("publicIPAddresses/pip")).status)
	s.Advance(settled)
	assert.Equal(t, http.StatusOK, s.get(t, r.header.Get("Location")).status)
	assert.Equal(t, http.StatusNotFound, s.send(t, "HEAD", group, nil).status)
	assert.Zero(t, s.Stats().Addresses)
}

// TestMachinesOfASetInTheSubscription: the list of the subscription takes the filter of the
// group's, and shows instance views with it.
func TestMachinesOfASetInTheSubscription(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, PageSize: 1})
	set := s.scaleSet(t, flexible(2))
	other := flexible(1)
	other.Name = "other"
	s.scaleSet(t, other)
	list := inSubscription("/providers/Microsoft.Compute/virtualMachines?api-version=" + version)
	filter := "&$filter=" + url.QueryEscape("'virtualMachineScaleSet/id' eq '"+strings.ToUpper(set)+"'")
	assert.Len(t, s.list(t, list), 3)
	plain := s.list(t, list+filter)
	require.Len(t, plain, 2)
	assert.Nil(t, get(plain[0], "properties.instanceView"))
	for _, one := range s.list(t, list+filter+"&$expand=instanceView") {
		assert.Equal(t, set, get(one, "properties.virtualMachineScaleSet.id"))
		assert.NotNil(t, get(one, "properties.instanceView"))
	}
	status := s.list(t, list+filter+"&statusOnly=true")
	require.Len(t, status, 2)
	assert.Nil(t, get(status[0], "properties.vmId"))
	assert.Equal(t, http.StatusNotImplemented, s.get(t, list+"&$filter=name%20eq%20'a'").status)
}

func TestProviders(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Subscription: armsim.Subscription{NotRegistered: []string{"Microsoft.ManagedIdentity", "Contoso.Widgets"}}})
	provider := subscriptionOf + "/providers/microsoft.managedidentity"
	state := func() string { return s.get(t, provider).text("registrationState") }
	assert.Equal(t, "NotRegistered", state())
	assert.Equal(t, "NotRegistered", s.get(t, subscriptionOf+"/providers/Contoso.Widgets").text("registrationState"))
	assert.Equal(t, "Registered", s.get(t, subscriptionOf+"/providers/Microsoft.Compute").text("registrationState"))
	assert.Equal(t, "InvalidResourceNamespace", s.get(t, subscriptionOf+"/providers/Contoso.None").code())
	assert.Greater(t, len(s.list(t, subscriptionOf+"/providers")), 5)

	r := s.send(t, "PUT", identityOf(s, "id"), object{"location": "westeurope"})
	assert.Equal(t, []any{http.StatusConflict, "MissingSubscriptionRegistration"}, []any{r.status, r.code()})
	assert.Equal(t, "Microsoft.ManagedIdentity", r.text("error.details.0.target"))
	assert.Equal(t, "Registering", s.send(t, "POST", provider+"/register", nil).text("registrationState"))
	s.Advance(settled)
	assert.Equal(t, "Registered", state())
	s.make(t, identityOf(s, "id"), object{})
	assert.Equal(t, "Unregistering", s.send(t, "POST", provider+"/unregister", nil).text("registrationState"))
	s.Advance(settled)
	assert.Equal(t, "Unregistered", state())
	assert.Equal(t, "Registered", s.send(t, "POST", subscriptionOf+"/providers/Microsoft.Resources/unregister", nil).text("registrationState"))
}

func identityOf(s *sim, name string) string {
	return s.ResourcePath("/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + name)
}

// TestIdentityOfClient: an identity that a client made gets rights, and logs in
// from the virtual machine that has it.
func TestIdentityOfClient(t *testing.T) {
	t.Parallel()
	s := start(t, armsim.Config{InProcess: true, MetadataService: true})
	id := identityOf(s, "id")
	made := s.send(t, "PUT", id, object{"location": "westeurope", "tags": object{"a": "b"}})
	require.Equal(t, http.StatusCreated, made.status, made.raw)
	principal, client := made.text("properties.principalId"), made.text("properties.clientId")
	assert.Equal(t, armsim.DefaultTenantID, made.text("properties.tenantId"))
	again := s.send(t, "PUT", id, object{"location": "westeurope"})
	assert.Equal(t, []any{http.StatusOK, principal}, []any{again.status, again.text("properties.principalId")})
	assert.Equal(t, client, s.get(t, id).text("properties.clientId"))
	assert.Len(t, s.list(t, identityOf(s, "")[:len(identityOf(s, ""))-1]), 1)
	assert.Equal(t, 0.0, get(s.send(t, "POST", id+"/listAssociatedResources", nil).body, "totalCount"))

	assert.Error(t, s.AttachIdentity(identityOf(s, "none")))
	require.NoError(t, s.AttachIdentity(id))
	asIdentity := func() int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/", nil)
		require.NoError(t, err)
		r.Header.Set("Metadata", "true")
		token := s.exchange(t, r)
		require.Equal(t, http.StatusOK, token.status, token.raw)
		return s.send(t, "GET", s.ResourcePath(""), nil, header{"Authorization": "Bearer " + token.text("access_token")}).status
	}
	assert.Equal(t, http.StatusForbidden, asIdentity())
	assert.Equal(t, http.StatusCreated, s.assign(t, s.ResourcePath(""), "one", "Reader", principal).status)
	assert.Equal(t, http.StatusOK, asIdentity())
	assert.Equal(t, http.StatusOK, s.send(t, "DELETE", id, nil).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", id, nil).status)
	assert.Equal(t, http.StatusNotFound, s.get(t, id).status)
}

// TestPrincipalIsNew: role assignments do not know a new identity at once.
func TestPrincipalIsNew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unknown []string
		typed   int
	}{"a type helps": {nil, http.StatusCreated}, "no type helps": {[]string{"principal-type-ignored"}, http.StatusBadRequest}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Unknowns: unknown(t, c.unknown...), Subscription: armsim.Subscription{PrincipalDelay: time.Hour}})
			principal := s.make(t, identityOf(s, "id"), object{}).text("properties.principalId")
			r := s.assign(t, s.ResourcePath(""), "one", "Reader", principal)
			assert.Equal(t, []any{http.StatusBadRequest, "PrincipalNotFound"}, []any{r.status, r.code()})
			assert.Equal(t, c.typed, s.assign(t, s.ResourcePath(""), "two", "Contributor", principal, "ServicePrincipal").status)
			s.Advance(time.Hour)
			assert.Equal(t, http.StatusCreated, s.assign(t, s.ResourcePath(""), "one", "Reader", principal).status)
			assert.Equal(t, "PrincipalNotFound", s.assign(t, s.ResourcePath(""), "three", "Reader", "nobody").code())
		})
	}
}

// TestIdentityIsAttached by the control endpoint, to a machine that had none.
func TestIdentityIsAttached(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{MetadataService: true})
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {"https://management.azure.com/"}}
	assert.Equal(t, http.StatusBadRequest, s.metadata(t, query).status)
	made := s.make(t, identityOf(s, "id"), object{})
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.ControlEndpoint+"/attach?identity="+identityOf(s, "id"), nil)
	require.NoError(t, err)
	assert.Contains(t, readAll(t, r), "attached")
	assert.Equal(t, made.text("properties.clientId"), s.metadata(t, query).text("client_id"))
}
