package armerr

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/stretchr/testify/assert"
)

const (
	inGroup   = "/subscriptions/00000000-0000-4000-8000-0000000000aa/resourceGroups/hub"
	ourGroup  = "/subscriptions/00000000-0000-4000-8000-0000000000aa/resourceGroups/ci"
	ourSet    = ourGroup + "/providers/Microsoft.Compute/virtualMachineScaleSets/ci"
	aSubnet   = inGroup + "/providers/Microsoft.Network/virtualNetworks/hub/subnets/runners"
	aNSG      = inGroup + "/providers/Microsoft.Network/networkSecurityGroups/nsg"
	aVersion  = inGroup + "/providers/Microsoft.Compute/galleries/g/images/runner/versions/1.2.3"
	anImage   = inGroup + "/providers/Microsoft.Compute/images/runner"
	aSet      = inGroup + "/providers/Microsoft.Compute/diskEncryptionSets/des"
	anID      = inGroup + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/jobs"
	aPlace    = inGroup + "/providers/Microsoft.Compute/proximityPlacementGroups/near"
	otherPart = inGroup + "/providers/Microsoft.Network/ddosProtectionPlans/plan"
)

// linkedRefusal is Azure's wording where an action on something linked is missing.
func linkedRefusal(action, scope string) string {
	return "The client 'x' with object id 'x' has permission to perform action 'Microsoft.Compute/virtualMachineScaleSets/write' on scope '" + ourSet +
		"'; however, it does not have permission to perform action(s) '" + action + "' on the linked scope(s) '" + scope +
		"' or the linked scope(s) are invalid."
}

func otherTenant(action string) string {
	return "The client has permission to perform action '" + action + "' on scope '" + ourSet + "', however the current tenant '11111111-2222-4333-8444-555555555555' " +
		"is not authorized to access linked subscription '99999999-2222-4333-8444-555555555555'."
}

// refusal is a response of Azure Resource Manager and the fix for it.
type refusal struct {
	status                int
	code, message, target string

	kind Kind
	fix  string
}

func (r refusal) err() error {
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": r.code, "message": r.message, "target": r.target}})
	if r.code == "" {
		body = []byte(r.message)
	}
	return runtime.NewResponseError(response(r.status, string(body), "Retry-After", "7"))
}

// refusals has a case for each row about Azure Resource Manager.
var refusals = []refusal{
	{429, "OperationNotAllowed", "too many", "", Throttled, "wait 7s"},
	{400, "TooManyRequests", "", "", Throttled, "wait 7s"},
	{412, "PreconditionFailed", "", "", Precondition, ""},

	{407, "", "<html>", "", Network, "NO_PROXY"},
	{511, "", "<html>", "", Network, "wants a sign-in"},
	{401, "", "<html>", "", Unknown, "does not come from Azure"},
	{403, "", "<html>", "", Unknown, "name management.example in NO_PROXY"},
	{404, "", "", "", Unknown, "does not come from Azure"},
	{503, "", "<html>", "", Transient, "check what HTTPS_PROXY names"},
	{200, "", "<html>", "", Unknown, "a page for people came"},

	{404, "SubscriptionNotFound", "", "", SubscriptionNotFound, "check subscription_id"},
	{404, "ResourceGroupNotFound", "Resource group 'ci' could not be found.", "", GroupNotFound, "resource_group_name"},
	{401, "InvalidAuthenticationTokenTenant", "", "", Unauthenticated, "another tenant"},
	{401, "ExpiredAuthenticationToken", "", "", Unauthenticated, "clock"},
	{401, "InvalidAuthenticationToken", "The access token is not yet valid.", "", Unauthenticated, "clock"},
	{401, "InvalidAuthenticationToken", "", "", Unauthenticated, "check credential"},
	{409, "ReadOnlyDisabledSubscription", "", "", Forbidden, "is disabled"},
	{409, "MissingSubscriptionRegistration", "", "", Invalid, "az provider register"},
	{400, "NoRegisteredProviderFound", "The supported api-versions are '2020-06-01'.", "", APIVersion, "set api_version"},
	{400, "UnsupportedApiVersion", "", "", APIVersion, "set api_version"},
	{404, "InvalidResourceType", "", "", APIVersion, "no such resource type"},

	{403, "LinkedAuthorizationFailed", otherTenant("Microsoft.Compute/galleries/images/versions/read"), "", Forbidden, "the gallery is in a subscription of another tenant; copy"},
	{403, "LinkedAuthorizationFailed", otherTenant("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"), "", Forbidden, "the managed identity is in a subscription of another tenant"},
	{403, "LinkedAuthorizationFailed", "The client has permission to perform action 'Microsoft.Network/virtualNetworks/subnets/join/action' on scope '" + ourSet +
		"', however the linked subscription 'x' was not found. ", "", Linked, "correct the resource ID of the subnet in the scale set's model"},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.Network/virtualNetworks/subnets/join/action", aSubnet), "", Forbidden,
		`a role with the action Microsoft.Network/virtualNetworks/subnets/join/action (Network Contributor has it) on the subnet "runners" of resource group "hub"`},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.Network/networkSecurityGroups/join/action", aNSG), "", Forbidden, `on the network security group "nsg"`},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.Compute/galleries/images/versions/read", aVersion), "", Forbidden, "(Reader has it) on the gallery image \"" + aVersion},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.Compute/images/read", anImage), "", Forbidden, `(Reader has it) on the image "runner"`},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.Compute/diskEncryptionSets/read", aSet), "", Forbidden, `on the disk encryption set "des"`},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", anID), "", Forbidden, `(Managed Identity Operator has it) on the managed identity "jobs"`},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.Compute/proximityPlacementGroups/write", aPlace), "", Forbidden, `on the proximity placement group "near"`},
	{403, "LinkedAuthorizationFailed", linkedRefusal("Microsoft.Network/ddosProtectionPlans/join/action", otherPart), "", Forbidden, `ddosProtectionPlans/join/action on the resource "plan"`},
	{403, "AuthorizationFailed", "The client 'a' does not have authorization to perform action 'Microsoft.Network/virtualNetworks/subnets/join/action' over scope '" + aSubnet + "'", "",
		Forbidden, `on the subnet "runners" of resource group "hub"`},
	{403, "AuthorizationFailed", "The client 'a' does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/write' over scope '" + ourSet + "'", "",
		Forbidden, "Microsoft.Compute/virtualMachineScaleSets/write on the resource group"},
	{403, "RequestDisallowedByPolicy", "", "ci", Forbidden, "Azure Policy"},
	{403, "RequestDisallowedByAzure", "", "", Forbidden, "region"},
	{409, "ScopeLocked", "The scope '" + ourSet + "' cannot perform write operation because following scope(s) are locked: '" + aSubnet + "'.", "", Forbidden, `remove the lock on the subnet "runners"`},
	{409, "ScopeLocked", "The scope '" + ourSet + "' cannot perform delete operation because following scope(s) are locked: '" + ourGroup + "'.", "", Forbidden, "remove the lock on the scale set, its resource group"},
	{400, "LinkedInvalidPropertyId", "Property id 'x' at path 'properties.x.id' is invalid.", "", Linked, "malformed resource ID"},

	{404, "PlatformImageNotFound", "The platform image 'Canonical:UbuntuServer:18.04-LTS:18.04.202306070' is not available.", "imageReference", Linked, "az vm image list"},
	{404, "ImageVersionDeprecated", "The platform image is deprecated.", "", Linked, "not offered any more"},
	{404, "GalleryImageNotFound", "The gallery image " + aVersion + " is not available in westeurope region.", "imageReference", Linked, "replicate the gallery image"},
	{400, "InvalidParameter", "The following list of images are not found", "imageReference", Linked, "correct publisher, offer"},
	{404, "NotFound", "Resource " + aVersion + " not found.", "", Linked, "make the version again"},
	{404, "ResourceNotFound", "The Resource 'Microsoft.Compute/images/runner' under resource group 'hub' was not found.", "", Linked, "the image does not exist"},
	{400, "ImageBlobNotFound", "", "", Linked, "make the image again"},
	{409, "DiskImageNotReady", "", "", Linked, "wait for it"},
	{409, "OperationNotAllowed", "The resource x cannot be created from Image y until Image has been successfully created.", "", Linked, "wait for it"},
	{403, "SubscriptionNotAuthorizedForImage", "The subscription is not authorized.", "", Linked, "choose another image"},
	{400, "BadRequest", "Managed Images are not supported for virtual machines with security type TrustedLaunch.", "", Linked, "Compute Gallery"},
	{400, "ResourcePurchaseValidationFailed", "User failed validation to purchase resources. Error message: 'Legal terms have not been accepted for this item'", "", Linked, "az vm image terms accept"},
	{400, "ResourcePurchaseValidationFailed", "Offer with PublisherId: a and OfferId: b not found.", "", Linked, "correct the plan"},
	{400, "MarketplacePurchaseEligibilityFailed", "Marketplace purchase eligibility check returned errors.", "", Linked, "cannot buy"},
	{400, "VMMarketplaceInvalidInput", "", "", Linked, "make the plan"},
	{400, "KeyVaultAccessForbidden", "", "", Linked, "wrapKey"},
	{400, "CertificateImproperlyFormatted", "", "", Linked, "PFX"},
	{404, "ResourceNotFound", "Resource " + aSet + " not found", "", Linked, `the disk encryption set "des" of resource group "hub" does not exist`},
	{404, "ResourceNotFound", "Resource " + anID + " not found", "", Linked, "az vmss identity remove"},

	{400, "SubnetIsFull", "Subnet " + aSubnet + " with address prefix 10.0.0.0/28 does not have enough capacity for 5 IP addresses.", "", Quota, "too few free addresses"},
	{400, "InvalidResourceReference", "Resource " + aSubnet + " referenced by resource " + ourSet + " was not found.", "", Linked, `the subnet "runners" of resource group "hub" does not exist`},
	{400, "InvalidResourceReference", "Resource " + aNSG + " referenced by resource " + ourSet + " was not found.", "", Linked, `the network security group "nsg" of resource group "hub" does not exist`},
	{400, "InvalidResourceReference", "Resource " + otherPart + " referenced by resource " + ourSet + " was not found.", "", Linked, "correct the link to the resource"},
	{404, "NotFound", "Resource " + aSubnet + " not found.", "", Linked, `the subnet "runners"`},
	{404, "NotFound", "Resource " + aPlace + " not found.", "", Linked, "without it"},

	{200, "OperationPreempted", "", "", Preempted, ""},
	{409, "OperationNotAllowed", "Operation 'Update' is not allowed on Virtual Machine Scale Set 'ci' since it is marked for deletion.", "", Deleting, ""},
	{409, "ResourceGroupBeingDeleted", "", "", Deleting, ""},
	{400, "InstanceIdsListInstanceIdNotActiveVM", "", "", InstanceGone, ""},
	{400, "InvalidParameter", "", "instanceIds", InstanceGone, ""},
	{409, "OperationNotAllowed", "Operation 'a' is not allowed on Virtual Machine Scale Set 'ci' since it is updating.", "", Conflict, ""},
	{400, "BadRequest", "Operation 'VirtualMachineScaleSets.virtualMachines.GET' is not allowed on Virtual Machine Scale Set 'ci'.", "", NotAllowedForMode, "Uniform"},
	{409, "AnotherOperationInProgress", "", "", Conflict, "wait for the other"},

	{409, "OperationNotAllowed", "exceeding approved standardDSv5Family Cores quota.", "", Quota, "request more vCPUs"},
	{400, "QuotaExceeded", "", "", Quota, "request more vCPUs"},
	{409, "SkuNotAvailable", "The requested tier is currently not available in location 'westus' for subscription 'x'.", "", Allocation, "request access"},
	{409, "SkuNotAvailable", "The requested VM size is currently not available in location 'eastus'.", "sku.name", Allocation, "another size"},
	{200, "OverconstrainedZonalAllocationRequest", "Allocation failed. Constraints applied are:\n  - Availability Zone\n  - VM Size", "6", Allocation, "drop one of them"},
	{200, "AllocationFailed", "", "", Allocation, "too few of these machines"},
	{409, "SpotPriceGreaterThanProvidedMaxPrice", "", "", Allocation, "maximum Spot price"},

	{409, "NotSupported", "OS disk of Ephemeral VM with size greater than 50 GB is not allowed for VM size Standard_D2s_v3", "", Invalid, "whose cache"},
	{400, "InvalidParameter", "Windows computer name prefix cannot be more than 9 characters long", "computerNamePrefix", Invalid, "at most 9 characters"},
	{400, "InvalidParameter", "The requested VM size X is not available in the current region.", "vmSize", Invalid, "az vm list-skus"},
	{409, "PropertyChangeNotAllowed", "", "priority", Invalid, "create the scale set again"},
	{200, "VMExtensionProvisioningError", "", "", Unknown, "extension"},
	{400, "ArtifactNotFound", "", "", Linked, "no such extension"},
	{200, "VMAgentStatusCommunicationError", "", "", Unknown, "agent"},
	{200, "OSProvisioningTimedOut", "", "", Unknown, "generalize"},

	{408, "RequestTimeout", "", "", Transient, "passes"},
	{502, "ProviderError", "", "", Transient, "passes"},
	{200, "InternalExecutionError", "", "", Transient, "passes"},
	{404, "Gone", "Resource " + inGroup + "/providers/Microsoft.Network/natGateways/nat is not there", "", Linked, `create the NAT gateway "nat"`},
	{404, "ResourceNotFound", "The Resource 'Microsoft.Compute/virtualMachineScaleSets/ci' under resource group 'ci' was not found.", "", NotFound, "check name"},
	{403, "Forbidden", "no action for " + aSubnet, "", Forbidden, `with the action that the message names on the subnet "runners"`},
	{403, "Forbidden", "", "", Forbidden, "a role that allows this"},
	{409, "Conflict", "", "", Conflict, ""},
	{400, "Whatever", "Resource " + aNSG + " is wrong", "", Linked, `correct the network security group "nsg"`},
	{400, "BadRequest", "The value is wrong.", "", Invalid, "correct in the scale set's model"},
}

func ask(err error) error {
	return &url.Error{Op: "Get", URL: "https://management.example/x", Err: err}
}

// noToken is an error of a credential without a response.
func noToken(text string) error { return azidentity.NewCredentialUnavailableError(text) }

// denied is a response to a request for a token.
func denied(status int, body string) error {
	return &azidentity.AuthenticationFailedError{RawResponse: response(status, body)}
}

func entraRefusal(code string) error {
	return denied(401, `{"error":"invalid_client","error_description":"`+code+`: Some words."}`)
}

// failures has a case for each row about signing in, and about no response at all.
var failures = []struct {
	err  error
	kind Kind
	fix  string
}{
	{denied(429, `{}`), Throttled, "wait"},
	{denied(503, `{}`), Transient, "passes"},
	{entraRefusal("AADSTS7000215"), Unauthenticated, "not its ID"},
	{entraRefusal("AADSTS7000222"), Unauthenticated, "expired"},
	{entraRefusal("AADSTS700016"), Unauthenticated, "check client_id"},
	{entraRefusal("AADSTS90002"), Unauthenticated, "no such tenant"},
	{entraRefusal("AADSTS700027"), Unauthenticated, "upload the certificate"},
	{entraRefusal("AADSTS700024"), Unauthenticated, "clock"},
	{entraRefusal("AADSTS70021"), Unauthenticated, "federated credential"},
	{entraRefusal("AADSTS7000112"), Unauthenticated, "disabled"},
	{entraRefusal("AADSTS53003"), Unauthenticated, "Conditional Access"},
	{entraRefusal("AADSTS500011"), Unauthenticated, "audience"},
	{denied(400, `{"error":"invalid_instance"}`), Unauthenticated, "authority_host"},
	{entraRefusal("AADSTS500133"), Unauthenticated, "clock"},
	{entraRefusal("AADSTS7000229"), Unauthenticated, "service principal"},
	{errors.New("AzureCLICredential: AADSTS700082: The refresh token has expired"), Unauthenticated, "az login"},
	{noToken(`ManagedIdentityCredential: failed to authenticate a system assigned identity. The endpoint responded with ` +
		`{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the clientId"}`), Unauthenticated, "set client_id"},
	{noToken("ManagedIdentityCredential: the requested identity isn't assigned to this resource"), Unauthenticated, "assign the user-assigned identity"},
	{noToken(`ManagedIdentityCredential: The endpoint responded with {"error_description":"Identity not found"}`), Unauthenticated, "assign a managed identity"},
	{pageFrom("ManagedIdentityCredential"), Network, "169.254.169.254 to NO_PROXY"},
	{noToken("DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tManagedIdentityCredential: proxyconnect tcp: refused"), Unauthenticated, "set credential to the one"},
	{noToken(`ManagedIdentityCredential: Get "http://169.254.169.254/metadata": proxyconnect tcp: dial tcp: refused`), Network, "169.254.169.254 to NO_PROXY"},
	{noToken("ManagedIdentityCredential: json: invalid character '<' looking for beginning of value"), Network, "169.254.169.254 to NO_PROXY"},
	{denied(403, "<html>"), Network, "name management.example in NO_PROXY"},
	{noToken("DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tA: b"), Unauthenticated, "set credential to the one"},
	{noToken("ClientSecretCredential: context canceled"), Canceled, ""},
	{noToken(`ClientSecretCredential: Post "https://login.example/": Proxy Authentication Required`), Network, "password in HTTPS_PROXY"},
	{noToken(`ClientSecretCredential: Post "https://login.example/": proxyconnect tcp: refused`), Network, "the proxy in HTTPS_PROXY does not respond"},
	{noToken(`ClientSecretCredential: Post "https://login.example/": Forbidden`), Network, "refuses to connect to this host"},
	{noToken("ClientSecretCredential: x509: certificate has expired or is not yet valid"), Network, "clock"},
	{noToken("ClientSecretCredential: x509: certificate signed by unknown authority"), Network, "SSL_CERT_FILE"},
	{noToken("ManagedIdentityCredential: context deadline exceeded"), Network, "NO_PROXY"},
	{noToken("ClientSecretCredential: context deadline exceeded"), Network, "reaches Azure"},
	{noToken("ClientSecretCredential: dial tcp: no such host"), Network, "DNS"},
	{noToken("ClientSecretCredential: read: i/o timeout"), Network, "firewall"},
	{noToken("ClientSecretCredential: tls: handshake failure"), Network, "reaches Azure"},
	{noToken("ClientSecretCredential: connection reset by peer"), Network, "reaches Azure"},
	{noToken("ClientSecretCredential: Post: EOF"), Network, "reaches Azure"},
	{noToken("AzureCLICredential: executable not found on path"), Unauthenticated, "install the Azure CLI"},
	{noToken("AzureCLICredential: Please run 'az login'"), Unauthenticated, "run az login"},
	{noToken("ManagedIdentityCredential: something else"), Unauthenticated, "assign a managed identity"},
	{noToken("ClientSecretCredential: something else"), Unauthenticated, "check credential"},

	{fmt.Errorf("w: %w", context.Canceled), Canceled, ""},
	{ask(context.DeadlineExceeded), Network, "reaches Azure"},
	{ask(errors.New("Proxy Authentication Required")), Network, "password in HTTPS_PROXY"},
	{ask(errors.New("proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused")), Network, "the proxy in HTTPS_PROXY does not respond"},
	{ask(errors.New("Forbidden")), Network, "refuses to connect to this host"},
	{ask(errors.New("http: server gave HTTP response to HTTPS client")), Network, "does not speak TLS"},
	{ask(x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}), Network, "clock"},
	{ask(errors.New("tls: failed to verify certificate: x509: certificate is valid for portal.example, not management.example")), Network, "DNS"},
	{ask(x509.UnknownAuthorityError{}), Network, "SSL_CERT_FILE"},
	{ask(errors.New("no route to host")), Network, "firewall"},
	{io.ErrUnexpectedEOF, Network, "reaches Azure"},
	{errors.New("unmarshalling type *armcompute.X: invalid character '<' looking for beginning of value"), Unknown, "a page for people"},
	{errors.New("unmarshalling type *armcompute.X: unexpected end"), Unknown, "does not come from Azure"},
	{errors.New("authenticated requests are not permitted for non-TLS protected (https) endpoints"), Invalid, "starts with https"},
	{errors.New("no client ID specified. Check pod configuration"), Unauthenticated, "AZURE_CLIENT_ID"},
	{errors.New("missing environment variable AZURE_TENANT_ID"), Unauthenticated, "runner's environment"},
}

// pageFrom is the error of a credential whose request was met by a page.
func pageFrom(credential string) error {
	r := response(403, "<html>"+credential+"</html>")
	return &azidentity.AuthenticationFailedError{RawResponse: r}
}

// TestEachRowHasItsFix tries each row of the table of rules by a case of its own.
func TestEachRowHasItsFix(t *testing.T) {
	seen := map[int]bool{}
	check := func(err error, kind Kind, fix string) {
		n := ruleFor(read(err))
		seen[n] = true
		e, _ := errors.AsType[*Error](From("set capacity 5 of", `scale set "ci"`, err))
		assert.Equal(t, kind.String(), e.Kind.String(), e)
		assert.Contains(t, e.Hint, fix)
		assert.Equal(t, fix == "", e.Hint == "", e)
		assert.NotContains(t, e.Hint, "%!", e)
		assert.NotContains(t, e.Error(), "\n")
	}
	for _, r := range refusals {
		check(r.err(), r.kind, r.fix)
	}
	for _, f := range failures {
		check(f.err, f.kind, f.fix)
	}
	for n, r := range rules {
		assert.True(t, seen[n], "no case for row %d: %+v", n, r)
		assert.NotEmpty(t, r.source, "row %d has no source: %+v", n, r)
	}
	assert.GreaterOrEqual(t, len(limitRules)+len(foreignRules)+len(placeRules)+len(linkedRules)+len(imageRules)+len(networkRules)+
		len(stateRules)+len(sizeRules)+len(modelRules)+len(statusRules), 40)
}

// TestLinkedScopeIsWhole: Azure names what is in the way at the end of a long
// message, and a resource ID that is cut is of no use.
func TestLinkedScopeIsWhole(t *testing.T) {
	long := strings.Replace(aSubnet, "/hub/", "/"+strings.Repeat("n", 80)+"/", 1)
	for _, scope := range []string{aSubnet, aVersion, long} {
		e := fromARM(t, 403, `{"error":{"code":"LinkedAuthorizationFailed","message":"`+linkedRefusal("Microsoft.Network/virtualNetworks/subnets/join/action", scope)+`"}}`)
		assert.Contains(t, e.Message, scope)
		assert.Less(t, len(e.Message), 310+len(scope))
	}
	e := fromARM(t, 403, `{"error":{"code":"AuthorizationFailed","message":"The client '11111111-2222-4333-8444-555555555555' with object id '11111111-2222-4333-8444-555555555555' `+
		`does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/read' over scope '`+ourSet+`' or the scope is invalid."}}`)
	assert.Contains(t, e.Message, ourSet)
	e = fromARM(t, 409, `{"error":{"code":"ScopeLocked","message":"The scope '`+ourSet+`/virtualMachines/3' cannot perform delete operation because following scope(s) are locked: '`+long+`'. Please remove the lock."}}`)
	assert.Contains(t, e.Message, long)
}
