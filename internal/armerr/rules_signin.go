package armerr

const (
	hintConnectivity = "check that this machine reaches Azure: DNS, firewall and HTTPS_PROXY"
	hintProxyAuth    = "check the user and password in HTTPS_PROXY, or name the host in NO_PROXY if this machine reaches it without the proxy"
	hintProxyRefuses = "the proxy in HTTPS_PROXY refuses to connect to this host; have it let the host pass, or name the host in NO_PROXY"
	hintProxyDead    = "check that this machine reaches Azure: the proxy in HTTPS_PROXY does not respond; correct it, or name the host in NO_PROXY"
	hintEndpoint     = "the machine's identity endpoint must not be asked through a proxy: add 169.254.169.254 to NO_PROXY in the runner's environment"
	hintWhich        = "the machine has several identities: set client_id to the client ID of the one to use, and credential to \"managed_identity\""
	hintInTime       = "check this machine's clock; if it is right, the certificate needs renewal"
	hintTrust        = "make this machine trust the certificate authority, for instance by SSL_CERT_FILE, and check cloud"
	hintWorkload     = "set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, as the workload identity webhook does, " +
		"or client_id and tenant_id"
)

// entraRules are about the identity, and the way to whoever gives it tokens.
var entraRules = []rule{
	{origin: entra, status: 429, kind: Throttled, hint: throttleHint, source: "Azure/azure-sdk-for-go#19389"},
	{origin: entra, status: serverError, kind: Transient, hint: fixedHint(hintTransient), source: "Azure/azure-sdk-for-go#19389"},
	{
		origin: entra, codes: []string{"AADSTS7000215"}, kind: Unauthenticated,
		hint:   fixedHint("put the client secret's value, not its ID, in client_secret_file or AZURE_CLIENT_SECRET"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS7000222"}, kind: Unauthenticated,
		hint:   fixedHint("the client secret has expired; make a new one and put its value in client_secret_file or AZURE_CLIENT_SECRET"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS700016"}, kind: Unauthenticated,
		hint:   fixedHint("the tenant has no application with this client_id; check client_id and tenant_id"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS90002", "AADSTS900023", "AADSTS900021"}, kind: Unauthenticated,
		hint:   fixedHint("there is no such tenant; check tenant_id or AZURE_TENANT_ID, and cloud"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS700027"}, kind: Unauthenticated,
		hint:   fixedHint("upload the certificate in client_certificate_file to the application, or use the one it has"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS700024"}, kind: Unauthenticated,
		hint:   fixedHint("check this machine's clock, and that the federated token is fresh"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213"}, kind: Unauthenticated,
		hint:   fixedHint("make the application's federated credential match the token's issuer, subject and audience"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS7000112"}, kind: Unauthenticated,
		hint:   fixedHint("the application is disabled; enable it in Entra ID"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS53003"}, kind: Unauthenticated,
		hint:   fixedHint("a Conditional Access policy blocks the sign-in; ask the tenant's administrator"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS500011"}, kind: Unauthenticated,
		hint:   fixedHint("the tenant does not know the audience of the token; check cloud and its resource_manager_audience"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"invalid_instance", "AADSTS50049"}, kind: Unauthenticated,
		hint:   fixedHint("check cloud; its authority_host is not one that Entra ID knows"),
		source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS500133"}, kind: Unauthenticated,
		hint: fixedHint(hintClock), source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS7000229", "AADSTS700030"}, kind: Unauthenticated,
		hint: fixedHint("the application has no service principal in the tenant; create it, or check client_id and tenant_id"), source: sourceAuthCodes,
	},
	{
		origin: entra, codes: []string{"AADSTS700082", "AADSTS70043", "AADSTS50173", "AADSTS50076", "AADSTS50079", "AADSTS50078"}, kind: Unauthenticated,
		hint: fixedHint("sign in again as the runner's user: az login"), source: sourceAuthCodes,
	},
	{
		origin: entra, text: []string{"multiple user assigned identities exist"}, kind: Unauthenticated,
		hint: fixedHint(hintWhich), source: "Azure/aad-pod-identity#1152",
	},
	{
		origin: entra, text: []string{"isn't assigned to this resource"}, kind: Unauthenticated,
		hint: fixedHint("assign the user-assigned identity to this machine, and check client_id"), source: sourceSDK,
	},
	{
		origin: entra, text: []string{"identity not found"}, kind: Unauthenticated,
		hint: fixedHint("assign a managed identity to this machine, or set credential to another kind"), source: sourceSDK,
	},
	// What is at the identity endpoint is not Azure's: it speaks JSON.
	{origin: entra, page: true, text: []string{"managedidentitycredential"}, kind: Network, hint: fixedHint(hintEndpoint), source: sourceSDK},
	{
		origin: entra, text: []string{"attempted credentials", "managedidentitycredential", "proxyconnect"}, kind: Unauthenticated, source: sourceGo,
		hint: fixedHint("set credential to the one that you mean to use; for a managed identity, add 169.254.169.254 to NO_PROXY in the runner's environment"),
	},
	{origin: entra, text: []string{"managedidentitycredential", "proxyconnect"}, kind: Network, hint: fixedHint(hintEndpoint), source: sourceGo},
	{origin: entra, text: []string{"managedidentitycredential", "invalid character '<'"}, kind: Network, hint: fixedHint(hintEndpoint), source: sourceSDK},
	{
		origin: entra, page: true, kind: Network, source: sourceGo,
		hint: foreignHint("what HTTPS_PROXY names: a page for people came in Entra ID's place; have it let %[1]s pass, or name %[1]s in NO_PROXY"),
	},

	// Without a response the SDK passes on only the text of the cause.
	{origin: entra, text: []string{"attempted credentials"}, kind: Unauthenticated, hint: fixedHint("set credential to the one that you mean to use"), source: sourceSDK},
	{origin: entra, text: []string{"context canceled"}, kind: Canceled, hint: fixedHint(""), source: sourceSDK},
	{origin: entra, text: []string{"proxy authentication required"}, kind: Network, hint: fixedHint(hintProxyAuth), source: sourceGo},
	{origin: entra, text: []string{"proxyconnect"}, kind: Network, hint: fixedHint(hintProxyDead), source: sourceGo},
	{origin: entra, text: []string{`": forbidden`}, kind: Network, hint: fixedHint(hintProxyRefuses), source: sourceGo},
	{origin: entra, text: []string{"x509: ", "expired or is not yet valid"}, kind: Network, hint: fixedHint(hintInTime), source: "crypto/x509"},
	{origin: entra, text: []string{"x509: "}, kind: Network, hint: fixedHint(hintTrust), source: sourceSDK},
	{
		// The address of the identity endpoint exists only on Azure's machines.
		origin: entra, text: []string{"managedidentitycredential", "context deadline exceeded"}, kind: Network,
		hint: fixedHint("run the runner on an Azure machine with a managed identity, with 169.254.169.254 in NO_PROXY where it has a proxy, " +
			"or set credential to another kind"),
		source: sourceSDK,
	},
	{origin: entra, text: []string{"context deadline exceeded"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceSDK},
	{origin: entra, text: []string{"dial tcp"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceSDK},
	{origin: entra, text: []string{"i/o timeout"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceSDK},
	{origin: entra, text: []string{"tls: "}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceSDK},
	{origin: entra, text: []string{"connection reset"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceSDK},
	{origin: entra, text: []string{": eof"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceSDK},
	{
		origin: entra, text: []string{"azureclicredential", "executable not found"}, kind: Unauthenticated, source: sourceSDK,
		hint: fixedHint("install the Azure CLI where the PATH of the runner's service finds az, or set credential to another kind"),
	},
	{
		origin: entra, text: []string{"azureclicredential"}, kind: Unauthenticated,
		hint:   fixedHint("run az login as the runner's user, or set credential to another kind"),
		source: sourceSDK,
	},
	{
		origin: entra, text: []string{"managedidentitycredential"}, kind: Unauthenticated,
		hint:   fixedHint("assign a managed identity to this machine, or set credential to another kind"),
		source: sourceSDK,
	},
	{origin: entra, kind: Unauthenticated, hint: fixedHint("check credential and the keys that go with it"), source: sourceSDK},
}

var localRules = []rule{
	{text: []string{"context canceled"}, kind: Canceled, hint: fixedHint(""), source: sourceGo},
	{text: []string{"context deadline exceeded"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceGo},
	{text: []string{"proxy authentication required"}, kind: Network, hint: fixedHint(hintProxyAuth), source: sourceGo},
	{text: []string{"proxyconnect"}, kind: Network, hint: fixedHint(hintProxyDead), source: sourceGo},
	{text: []string{`": forbidden`}, kind: Network, hint: fixedHint(hintProxyRefuses), source: sourceGo},
	{
		text: []string{"http response to https client"}, kind: Network, source: sourceGo,
		hint: fixedHint("check cloud and HTTPS_PROXY: the server does not speak TLS there"),
	},
	{text: []string{"x509: ", "expired or is not yet valid"}, kind: Network, hint: fixedHint(hintInTime), source: "crypto/x509"},
	{text: []string{"x509: ", "certificate is valid for"}, kind: Network, hint: foreignHint("this machine's DNS and HTTPS_PROXY: the certificate of another host came in place of that of %s"), source: "crypto/x509"},
	{text: []string{"x509: "}, kind: Network, hint: fixedHint(hintTrust), source: sourceGo},
	{text: []string{"\nnetwork"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceGo},
	{text: []string{"unexpected eof"}, kind: Network, hint: fixedHint(hintConnectivity), source: sourceGo},
	{text: []string{"unmarshalling type ", "character '<'"}, kind: Unknown, hint: foreignHint(restPage), source: sourceGo},
	{text: []string{"unmarshalling type "}, kind: Unknown, hint: foreignHint(restProxy), source: sourceGo},
	{
		text: []string{"not permitted for non-tls"}, kind: Invalid,
		hint:   fixedHint("give cloud a resource_manager_endpoint that starts with https"),
		source: sourceSDK,
	},
	// Errors of azidentity's constructors.
	{text: []string{"check pod configuration"}, kind: Unauthenticated, hint: fixedHint(hintWorkload), source: sourceGo},
	{
		text: []string{"environment variable"}, kind: Unauthenticated,
		hint:   fixedHint("set Azure's variables in the runner's environment, or set credential to another kind"),
		source: sourceSDK,
	},
}
