package armsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// firstForm asks the first token endpoint, which takes a resource.
func (s *sim) firstForm(t tb, resource string) reply {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.Principal.ClientID}, "client_secret": {s.Principal.Secret}, "resource": {resource}}
	return s.send(t, "POST", "/"+armsim.DefaultTenantID+"/oauth2/token", form.Encode(), header{"Content-Type": "application/x-www-form-urlencoded"})
}

func claimsOf(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(token, claims)
	require.NoError(t, err)
	return claims
}

func TestFirstTokenEndpoint(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for _, resource := range []string{s.Audience, s.Endpoint, "https://management.azure.com/", "https://management.core.windows.net"} {
		r := s.firstForm(t, resource)
		require.Equal(t, http.StatusOK, r.status, r.raw)
		assert.Equal(t, resource, r.text("resource"))
		for _, name := range []string{"expires_in", "ext_expires_in", "expires_on", "not_before"} {
			assert.NotEmpty(t, r.text(name), "%s is text", name)
		}
		assert.Equal(t, resource, claimsOf(t, r.text("access_token"))["aud"], "to the letter, and one string")
		s.bearer = r.text("access_token")
		assert.Equal(t, http.StatusOK, s.get(t, s.ResourcePath("")).status)
	}
	r := s.firstForm(t, "https://example.com/")
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.True(t, strings.HasPrefix(r.text("error_description"), "AADSTS500011: "), r.raw)
}

func TestTokenClaims(t *testing.T) {
	t.Parallel()
	const object = "11111111-0000-4000-8000-000000000001"
	s := virtual(t, armsim.Config{Principals: []armsim.Principal{{ClientID: armsim.DefaultClientID, Secret: "x", ObjectID: object}}})
	claims := claimsOf(t, s.form(t, armsim.DefaultTenantID, nil).text("access_token"))
	assert.Equal(t, s.Audience, claims["aud"])
	for name, want := range map[string]string{
		"appid": armsim.DefaultClientID, "oid": object, "sub": object, "tid": armsim.DefaultTenantID, "idtyp": "app", "ver": "1.0",
	} {
		assert.Equal(t, want, claims[name], name)
	}
}

// TestTokensForGraph: clients get them, and Resource Manager does not take them.
func TestTokensForGraph(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for _, graph := range []string{s.Endpoint + "/graph", "https://graph.microsoft.com", "https://graph.windows.net/"} {
		r := s.form(t, armsim.DefaultTenantID, map[string]string{"scope": graph + "/.default"})
		require.Equal(t, http.StatusOK, r.status, r.raw)
		assert.Equal(t, graph, claimsOf(t, r.text("access_token"))["aud"])
		refused := s.send(t, "GET", s.ResourcePath(""), nil, header{"Authorization": "Bearer " + r.text("access_token")})
		assert.Equal(t, http.StatusUnauthorized, refused.status)
		assert.Equal(t, "InvalidAuthenticationTokenAudience", refused.code())
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	authority := s.Endpoint + "/" + armsim.DefaultTenantID
	for given, description := range map[string]string{
		"":           "The authentication failed because of missing 'Authorization' header.",
		"Bearer x.y": "The access token is invalid.",
	} {
		r := s.send(t, "GET", "/subscriptions", nil, header{"Authorization": given})
		assert.Equal(t, http.StatusUnauthorized, r.status)
		assert.Equal(t, fmt.Sprintf(`Bearer authorization_uri="%s", error="invalid_token", error_description="%s"`, authority, description), r.header.Get("WWW-Authenticate"))
	}
	assert.Equal(t, http.StatusOK, s.get(t, authority+"/.well-known/openid-configuration").status)
}

func TestAuthorityDiscovery(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	host := strings.TrimPrefix(s.Endpoint, "https://")
	r := s.get(t, "/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(s.Endpoint+"/common/oauth2/v2.0/authorize"))
	require.Equal(t, http.StatusOK, r.status)
	assert.Equal(t, []any{host}, get(r.body, "metadata.0.aliases"))
	// What old versions of Azure CLI need instead, see docs/reference/armsim-clients.md.
	adfs := s.get(t, "/adfs/.well-known/openid-configuration")
	require.Equal(t, http.StatusOK, adfs.status)
	assert.Equal(t, s.Endpoint+"/adfs/oauth2/v2.0/token", adfs.text("token_endpoint"))
	assert.Equal(t, http.StatusOK, s.form(t, "adfs", nil).status)
}

// TestMetadataOfTools has what each tool reads of the cloud's metadata; go-azure-sdk
// is Terraform's.
func TestMetadataOfTools(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for _, v := range []string{"2022-09-01", "2019-05-01"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.Endpoint+"/metadata/endpoints?api-version="+v, nil)
		require.NoError(t, err)
		response, err := s.client.Do(r)
		require.NoError(t, err)
		cloud := decode(t, response)
		if list, ok := cloud.([]any); ok {
			cloud = list[0]
		}
		// go-azure-sdk takes any other tenant for an Azure Stack.
		assert.Equal(t, []any{"common", "AAD"}, []any{get(cloud, "authentication.tenant"), get(cloud, "authentication.identityProvider")})
		for _, name := range []string{
			"name", "resourceManager", "microsoftGraphResourceId", "authentication.loginEndpoint", "graph", "graphAudience", "gallery", "portal",
			"batch", "media", "sqlManagement", "activeDirectoryDataLake", "ossrDbmsResourceId", "logAnalyticsResourceId",
			"suffixes.storage", "suffixes.keyVaultDns", "suffixes.mhsmDns", "suffixes.sqlServerHostname", "suffixes.acrLoginServer",
			"suffixes.azureDataLakeStoreFileSystem", "suffixes.azureDataLakeAnalyticsCatalogAndJob",
		} {
			value, _ := get(cloud, name).(string)
			assert.NotEmpty(t, value, "%s in %s", name, v)
			assert.False(t, strings.HasSuffix(value, "/"), "%s: clients append to it", name)
		}
	}
	first := s.get(t, "/metadata/endpoints?api-version=2015-01-01")
	for _, name := range []string{"galleryEndpoint", "graphEndpoint", "portalEndpoint", "authentication.loginEndpoint"} {
		assert.NotEmpty(t, first.text(name), name)
	}
}

func TestTheWayIn(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Principals: []armsim.Principal{
		{ClientID: armsim.DefaultClientID, Secret: "x"}, {ClientID: "nobody", Secret: "x", NoRights: true},
	}})
	subscriptions := s.get(t, "/subscriptions?api-version=2016-06-01")
	require.Equal(t, http.StatusOK, subscriptions.status, subscriptions.raw)
	assert.Equal(t, armsim.DefaultSubscriptionID, get(subscriptions.body, "value.0.subscriptionId"))
	assert.Equal(t, armsim.DefaultTenantID, get(subscriptions.body, "value.0.tenantId"))
	assert.Equal(t, "Enabled", get(subscriptions.body, "value.0.state"))
	assert.Equal(t, get(subscriptions.body, "value.0"), any(s.get(t, "/subscriptions/"+armsim.DefaultSubscriptionID).body))
	assert.Equal(t, armsim.DefaultTenantID, get(s.get(t, "/tenants").body, "value.0.tenantId"))

	s.bearer = s.form(t, armsim.DefaultTenantID, map[string]string{"client_id": "nobody"}).text("access_token")
	assert.Empty(t, s.list(t, "/subscriptions"), "one sees those in which one has a right")
}

// namesOf are the names on all pages of a list.
func (s *sim) namesOf(t *testing.T, target string) []string {
	t.Helper()
	names := []string{}
	for _, one := range s.list(t, target) {
		names = append(names, get(one, "name").(string))
	}
	return names
}

// TestListsOfASubscription: what is in two groups is listed, over pages, and who may
// read one group sees what is in that.
func TestListsOfASubscription(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 2, Polite: true, Principals: []armsim.Principal{
		{ClientID: armsim.DefaultClientID, Secret: "x"}, {ClientID: "other", Secret: "x", Roles: []armsim.Role{{Name: "Reader", Scope: "/resourceGroups/other"}}},
	}})
	sub := "/subscriptions/" + armsim.DefaultSubscriptionID
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", sub+"/resourceGroups/other", object{"location": "westeurope"}).status)
	flexible := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 3, OrchestrationMode: "Flexible", PublicAddress: true})
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "uniform", Capacity: 3})
	body := s.get(t, flexible).body
	moved := strings.Replace(flexible, "/resourceGroups/ci/", "/resourceGroups/other/", 1)
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", moved, object{"location": "westeurope", "sku": body["sku"], "properties": body["properties"]}).status)
	s.Advance(settled)

	for _, set := range []string{flexible, moved} {
		group := set[:strings.Index(set, "/providers/")]
		require.Equal(t, http.StatusAccepted, s.send(t, "PUT", group+"/providers/Microsoft.Compute/disks/data", emptyDisk(8)).status)
		r := s.send(t, "PUT", group+"/providers/Microsoft.StandbyPool/standbyVirtualMachinePools/warm"+poolVersion, poolOf(set, "Running", 0, 0))
		require.Equal(t, http.StatusOK, r.status, r.raw)
	}
	disks, pools := sub+"/providers/Microsoft.Compute/disks", sub+"/providers/Microsoft.StandbyPool/standbyVirtualMachinePools"+poolVersion
	assert.Len(t, s.namesOf(t, disks), 3+3+3+2)
	assert.Equal(t, []string{"warm", "warm"}, s.namesOf(t, pools))

	compute, network := sub+"/providers/Microsoft.Compute", sub+"/providers/Microsoft.Network"
	assert.Equal(t, []string{"ci", "uniform", "ci"}, s.namesOf(t, compute+"/virtualMachineScaleSets"))
	assert.Equal(t, []string{"ci", "uniform", "ci"}, s.namesOf(t, compute+"/locations/WestEurope/virtualMachineScaleSets"))
	assert.Empty(t, s.namesOf(t, compute+"/locations/northeurope/virtualMachineScaleSets"))
	assert.Len(t, s.namesOf(t, compute+"/virtualMachines"), 6, "an instance of a Uniform set is no virtual machine")
	assert.Len(t, s.namesOf(t, compute+"/locations/westeurope/virtualMachines"), 6)
	assert.Len(t, s.namesOf(t, network+"/networkInterfaces"), 6)
	assert.Len(t, s.namesOf(t, network+"/publicIPAddresses"), 6)
	for _, one := range s.list(t, compute+"/virtualMachines?statusOnly=true&api-version="+version) {
		assert.NotNil(t, get(one, "properties.instanceView"))
	}
	assert.Len(t, s.namesOf(t, sub+"/resources"), 3+6+6+6+2)
	filter := url.QueryEscape("resourceType eq 'Microsoft.Compute/virtualMachineScaleSets' and resourceGroup eq 'Other'")
	assert.Equal(t, []string{"ci"}, s.namesOf(t, sub+"/resources?api-version=2021-04-01&$filter="+filter))

	s.bearer = s.form(t, armsim.DefaultTenantID, map[string]string{"client_id": "other"}).text("access_token")
	assert.Len(t, s.namesOf(t, disks), 3+1)
	assert.Equal(t, []string{"warm"}, s.namesOf(t, pools))
	assert.Equal(t, []string{"ci"}, s.namesOf(t, compute+"/virtualMachineScaleSets"))
	assert.Len(t, s.namesOf(t, compute+"/virtualMachines"), 3)
	assert.Len(t, s.namesOf(t, network+"/networkInterfaces"), 3)
}

// TestWelcome: the page at the root names the switches of each tool, and no secret.
func TestWelcome(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.Endpoint+"/", nil)
	require.NoError(t, err)
	response, err := s.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	page := textOf(t, response)
	for _, part := range []string{
		s.Endpoint, s.CAFile, armsim.DefaultSubscriptionID, armsim.DefaultTenantID, armsim.DefaultClientID,
		"REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "core.instance_discovery", "disableInstanceDiscovery", "disable_instance_discovery",
		"DisableInstanceDiscovery", "ARM_METADATA_HOSTNAME", "AZURE_ENVIRONMENT_FILEPATH",
	} {
		assert.Contains(t, page, part)
	}
	assert.NotContains(t, page, s.Principal.Secret)
	assert.Equal(t, "text/plain; charset=utf-8", response.Header.Get("Content-Type"))
	assert.Empty(t, s.Journal(), "a look at the page is no request of a client")
}
