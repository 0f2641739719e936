package armerr

const (
	hintReach = "check that this machine reaches Azure: DNS, firewall and HTTPS_PROXY"
	hintTrust = "make this machine trust the certificate authority, for instance by SSL_CERT_FILE, and check cloud"
	hintPod   = "set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, as the workload identity webhook does, " +
		"or client_id and tenant_id"
)

// entraRules are for errors of signing in. The codes are from
// learn.microsoft.com, "Microsoft Entra authentication and authorization error
// codes".
var entraRules = []rule{
	{origin: entra, status: 429, kind: Throttled, hint: askPatience},
	{origin: entra, status: serverError, kind: Transient, hint: say(hintAgain)},
	{
		origin: entra, codes: []string{"AADSTS7000215"}, kind: Unauthenticated,
		hint: say("put the client secret's value, not its ID, in client_secret_file or AZURE_CLIENT_SECRET"),
	},
	{
		origin: entra, codes: []string{"AADSTS7000222"}, kind: Unauthenticated,
		hint: say("the client secret has expired; make a new one and put its value in client_secret_file or AZURE_CLIENT_SECRET"),
	},
	{
		origin: entra, codes: []string{"AADSTS700016"}, kind: Unauthenticated,
		hint: say("the tenant has no application with this client_id; check client_id and tenant_id"),
	},
	{
		origin: entra, codes: []string{"AADSTS90002", "AADSTS900023", "AADSTS900021"}, kind: Unauthenticated,
		hint: say("there is no such tenant; check tenant_id or AZURE_TENANT_ID, and cloud"),
	},
	{
		origin: entra, codes: []string{"AADSTS700027"}, kind: Unauthenticated,
		hint: say("upload the certificate in client_certificate_file to the application, or use the one it has"),
	},
	{
		origin: entra, codes: []string{"AADSTS700024"}, kind: Unauthenticated,
		hint: say("check this machine's clock, and that the federated token is fresh"),
	},
	{
		origin: entra, codes: []string{"AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213"}, kind: Unauthenticated,
		hint: say("make the application's federated credential match the token's issuer, subject and audience"),
	},
	{
		origin: entra, codes: []string{"AADSTS7000112"}, kind: Unauthenticated,
		hint: say("the application is disabled; enable it in Entra ID"),
	},
	{
		origin: entra, codes: []string{"AADSTS53003"}, kind: Unauthenticated,
		hint: say("a Conditional Access policy blocks the sign-in; ask the tenant's administrator"),
	},
	{
		origin: entra, codes: []string{"AADSTS500011"}, kind: Unauthenticated,
		hint: say("the tenant does not know for whom the token is to be; check cloud and its resource_manager_audience"),
	},
	{
		origin: entra, codes: []string{"invalid_instance", "AADSTS50049"}, kind: Unauthenticated,
		hint: say("check cloud; its authority_host is not one that Entra ID knows"),
	},
	// The SDK's own words where the machine lacks the identity asked for.
	{
		origin: entra, text: []string{"isn't assigned to this resource"}, kind: Unauthenticated,
		hint: say("assign the user-assigned identity to this machine, and check client_id"),
	},
	{
		origin: entra, text: []string{"identity not found"}, kind: Unauthenticated,
		hint: say("assign a managed identity to this machine, or set credential to another kind"),
	},

	// Where no answer came the SDK hands on the text of the cause alone.
	{origin: entra, text: []string{"attempted credentials"}, kind: Unauthenticated, hint: say("set credential to the one that you mean to use")},
	{origin: entra, text: []string{"context canceled"}, kind: Canceled, hint: say("")},
	{origin: entra, text: []string{"x509: "}, kind: Network, hint: say(hintTrust)},
	{
		// The identity endpoint is an address that exists on Azure's machines alone.
		origin: entra, text: []string{"managedidentitycredential", "context deadline exceeded"}, kind: Network,
		hint: say("run the runner on an Azure machine with a managed identity, or set credential to another kind"),
	},
	{origin: entra, text: []string{"context deadline exceeded"}, kind: Network, hint: say(hintReach)},
	{origin: entra, text: []string{"dial tcp"}, kind: Network, hint: say(hintReach)},
	{origin: entra, text: []string{"i/o timeout"}, kind: Network, hint: say(hintReach)},
	{origin: entra, text: []string{"tls: "}, kind: Network, hint: say(hintReach)},
	{origin: entra, text: []string{"connection reset"}, kind: Network, hint: say(hintReach)},
	{origin: entra, text: []string{": eof"}, kind: Network, hint: say(hintReach)},
	{
		origin: entra, text: []string{"azureclicredential"}, kind: Unauthenticated,
		hint: say("run az login as the runner's user, or set credential to another kind"),
	},
	{
		origin: entra, text: []string{"managedidentitycredential"}, kind: Unauthenticated,
		hint: say("assign a managed identity to this machine, or set credential to another kind"),
	},
	{origin: entra, kind: Unauthenticated, hint: say("check credential and the keys that go with it")},
}

var localRules = []rule{
	{text: []string{"context canceled"}, kind: Canceled, hint: say("")},
	{text: []string{"context deadline exceeded"}, kind: Network, hint: say(hintReach)},
	{text: []string{"x509: "}, kind: Network, hint: say(hintTrust)},
	{text: []string{"\nnetwork"}, kind: Network, hint: say(hintReach)},
	{text: []string{"unexpected eof"}, kind: Network, hint: say(hintReach)},
	{text: []string{"unmarshalling type "}, kind: Unknown, hint: say(hintProxy)},
	{
		text: []string{"not permitted for non-tls"}, kind: Invalid,
		hint: say("give cloud a resource_manager_endpoint that starts with https"),
	},
	// What azidentity says when it makes a credential.
	{text: []string{"check pod configuration"}, kind: Unauthenticated, hint: say(hintPod)},
	{
		text: []string{"environment variable"}, kind: Unauthenticated,
		hint: say("set Azure's variables in the runner's environment, or set credential to another kind"),
	},
}
