package armerr

const (
	hintConnectivity = "check that this machine reaches Azure: DNS, firewall and HTTPS_PROXY"
	hintTrust        = "make this machine trust the certificate authority, for instance by SSL_CERT_FILE, and check cloud"
	hintWorkload     = "set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, as the workload identity webhook does, " +
		"or client_id and tenant_id"
)

// entraRules are for sign-in errors. The codes are from
// learn.microsoft.com, "Microsoft Entra authentication and authorization error
// codes".
var entraRules = []rule{
	{origin: entra, status: 429, kind: Throttled, hint: throttleHint},
	{origin: entra, status: serverError, kind: Transient, hint: fixedHint(hintTransient)},
	{
		origin: entra, codes: []string{"AADSTS7000215"}, kind: Unauthenticated,
		hint: fixedHint("put the client secret's value, not its ID, in client_secret_file or AZURE_CLIENT_SECRET"),
	},
	{
		origin: entra, codes: []string{"AADSTS7000222"}, kind: Unauthenticated,
		hint: fixedHint("the client secret has expired; make a new one and put its value in client_secret_file or AZURE_CLIENT_SECRET"),
	},
	{
		origin: entra, codes: []string{"AADSTS700016"}, kind: Unauthenticated,
		hint: fixedHint("the tenant has no application with this client_id; check client_id and tenant_id"),
	},
	{
		origin: entra, codes: []string{"AADSTS90002", "AADSTS900023", "AADSTS900021"}, kind: Unauthenticated,
		hint: fixedHint("there is no such tenant; check tenant_id or AZURE_TENANT_ID, and cloud"),
	},
	{
		origin: entra, codes: []string{"AADSTS700027"}, kind: Unauthenticated,
		hint: fixedHint("upload the certificate in client_certificate_file to the application, or use the one it has"),
	},
	{
		origin: entra, codes: []string{"AADSTS700024"}, kind: Unauthenticated,
		hint: fixedHint("check this machine's clock, and that the federated token is fresh"),
	},
	{
		origin: entra, codes: []string{"AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213"}, kind: Unauthenticated,
		hint: fixedHint("make the application's federated credential match the token's issuer, subject and audience"),
	},
	{
		origin: entra, codes: []string{"AADSTS7000112"}, kind: Unauthenticated,
		hint: fixedHint("the application is disabled; enable it in Entra ID"),
	},
	{
		origin: entra, codes: []string{"AADSTS53003"}, kind: Unauthenticated,
		hint: fixedHint("a Conditional Access policy blocks the sign-in; ask the tenant's administrator"),
	},
	{
		origin: entra, codes: []string{"AADSTS500011"}, kind: Unauthenticated,
		hint: fixedHint("the tenant does not know the audience of the token; check cloud and its resource_manager_audience"),
	},
	{
		origin: entra, codes: []string{"invalid_instance", "AADSTS50049"}, kind: Unauthenticated,
		hint: fixedHint("check cloud; its authority_host is not one that Entra ID knows"),
	},
	// The SDK's messages if the machine lacks the requested identity.
	{
		origin: entra, text: []string{"isn't assigned to this resource"}, kind: Unauthenticated,
		hint: fixedHint("assign the user-assigned identity to this machine, and check client_id"),
	},
	{
		origin: entra, text: []string{"identity not found"}, kind: Unauthenticated,
		hint: fixedHint("assign a managed identity to this machine, or set credential to another kind"),
	},

	// Without a response the SDK passes on only the text of the cause.
	{origin: entra, text: []string{"attempted credentials"}, kind: Unauthenticated, hint: fixedHint("set credential to the one that you mean to use")},
	{origin: entra, text: []string{"context canceled"}, kind: Canceled, hint: fixedHint("")},
	{origin: entra, text: []string{"x509: "}, kind: Network, hint: fixedHint(hintTrust)},
	{
		// The address of the identity endpoint exists only on Azure's machines.
		origin: entra, text: []string{"managedidentitycredential", "context deadline exceeded"}, kind: Network,
		hint: fixedHint("run the runner on an Azure machine with a managed identity, or set credential to another kind"),
	},
	{origin: entra, text: []string{"context deadline exceeded"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{origin: entra, text: []string{"dial tcp"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{origin: entra, text: []string{"i/o timeout"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{origin: entra, text: []string{"tls: "}, kind: Network, hint: fixedHint(hintConnectivity)},
	{origin: entra, text: []string{"connection reset"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{origin: entra, text: []string{": eof"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{
		origin: entra, text: []string{"azureclicredential"}, kind: Unauthenticated,
		hint: fixedHint("run az login as the runner's user, or set credential to another kind"),
	},
	{
		origin: entra, text: []string{"managedidentitycredential"}, kind: Unauthenticated,
		hint: fixedHint("assign a managed identity to this machine, or set credential to another kind"),
	},
	{origin: entra, kind: Unauthenticated, hint: fixedHint("check credential and the keys that go with it")},
}

var localRules = []rule{
	{text: []string{"context canceled"}, kind: Canceled, hint: fixedHint("")},
	{text: []string{"context deadline exceeded"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{text: []string{"x509: "}, kind: Network, hint: fixedHint(hintTrust)},
	{text: []string{"\nnetwork"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{text: []string{"unexpected eof"}, kind: Network, hint: fixedHint(hintConnectivity)},
	{text: []string{"unmarshalling type "}, kind: Unknown, hint: fixedHint(hintProxy)},
	{
		text: []string{"not permitted for non-tls"}, kind: Invalid,
		hint: fixedHint("give cloud a resource_manager_endpoint that starts with https"),
	},
	// Errors of azidentity's constructors.
	{text: []string{"check pod configuration"}, kind: Unauthenticated, hint: fixedHint(hintWorkload)},
	{
		text: []string{"environment variable"}, kind: Unauthenticated,
		hint: fixedHint("set Azure's variables in the runner's environment, or set credential to another kind"),
	},
}
