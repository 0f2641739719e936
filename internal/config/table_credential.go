package config

// tenantAndClientFromEnv are the credentials for which Azure's own variables
// fill in tenant_id and client_id. managed_identity is not among them: Azure's
// ManagedIdentityCredential reads no variable either, and a stray AZURE_CLIENT_ID
// would silently pick another identity.
var tenantAndClientFromEnv = []string{credSecret, credCertificate, credWorkload}

var credentialChoices = []Choice{
	{
		Value: "default",
		Doc: "Tries, in this order, the environment, workload identity, managed identity and the tools of a signed-in developer. " +
			"With `client_id` it is that identity or none: the developer's tools are left out. " +
			"Handy to start with; choose one of the others for production.",
		aliases: []string{"auto", "default_azure_credential", "azure_default"},
	},
	{
		Value:   "environment",
		Doc:     "Reads everything from Azure's `AZURE_*` variables in the runner's environment.",
		aliases: []string{"env", "environment_credential"},
	},
	{
		Value:   "managed_identity",
		Doc:     "The identity of the machine on which the runner runs. Set `client_id` to choose a user-assigned identity.",
		aliases: []string{"msi", "identity", "system_assigned", "user_assigned", "managed_service_identity"},
	},
	{
		Value:   credWorkload,
		Doc:     "A Kubernetes service account that is federated with Entra ID. The webhook sets `AZURE_FEDERATED_TOKEN_FILE`.",
		aliases: []string{"workload", "oidc", "federated", "federated_identity"},
	},
	{
		Value:   credSecret,
		Doc:     "An application with a client secret.",
		aliases: []string{"secret", "service_principal"},
	},
	{
		Value:   credCertificate,
		Doc:     "An application with a certificate.",
		aliases: []string{"certificate", "cert"},
	},
	{
		Value:   "azure_cli",
		Doc:     "The account signed in with `az login`, as the runner's user. For trying things out.",
		aliases: []string{"cli", "az", "az_cli"},
	},
}

var credentialOptions = []Option{
	{
		Group: groupCredential, Key: "credential", Type: "string", Default: "default",
		Choices: credentialChoices,
		Rule:    "one of the credentials below", Example: "managed_identity",
		Doc:     "How the plugin signs in to Azure.",
		aliases: []string{"auth", "authentication", "auth_method", "credential_type", "credentials"},
		at:      func(c *Config) *string { return &c.Credential },
	},
	{
		Group: groupCredential, Key: "tenant_id", Type: "string",
		Required: "by `client_secret` and `client_certificate`",
		NeededBy: []string{credSecret, credCertificate},
		Env:      "AZURE_TENANT_ID", EnvFor: tenantAndClientFromEnv,
		Rule: "a GUID or a domain name such as contoso.onmicrosoft.com", Example: guidForm,
		Doc:     "The Entra ID tenant of the application or identity.",
		aliases: []string{"tenant", "directory_id", "azure_tenant_id"},
		at:      func(c *Config) *string { return &c.TenantID },
		check:   checkTenant,
	},
	{
		Group: groupCredential, Key: "client_id", Type: "string",
		Required: "by `client_secret` and `client_certificate`",
		NeededBy: []string{credSecret, credCertificate},
		Env:      "AZURE_CLIENT_ID", EnvFor: tenantAndClientFromEnv,
		Rule: guidRule, Example: guidForm,
		Doc: "The client (application) ID of the application, or of the user-assigned identity to use. " +
			"A machine with several identities needs it.",
		aliases: []string{"client", "application_id", "app_id", "azure_client_id"},
		at:      func(c *Config) *string { return &c.ClientID },
		check:   checkGUID,
	},
	{
		Group: groupCredential, Key: "client_secret_file", Type: "string",
		Required: "by `client_secret`", NeededBy: []string{credSecret}, OnlyFor: []string{credSecret},
		StandIn: "AZURE_CLIENT_SECRET",
		Rule:    "the absolute path of a file with the client secret", Example: "/etc/gitlab-runner/azure-client-secret",
		Doc:    "A file that contains only the client secret.",
		hidden: true,
		at:     func(c *Config) *string { return &c.ClientSecretFile },
		check:  checkFile,
	},
	{
		Group: groupCredential, Key: "client_certificate_file", Type: "string",
		Required: "by `client_certificate`", NeededBy: []string{credCertificate}, OnlyFor: []string{credCertificate},
		Rule:    "the absolute path of a file with the certificate and its private key",
		Example: "/etc/gitlab-runner/azure-client.pem",
		Doc:     "A file that contains the certificate and its private key.",
		hidden:  true,
		aliases: []string{"client_certificate", "client_certificate_path", "certificate", "certificate_file", "certificate_path"},
		at:      func(c *Config) *string { return &c.ClientCertificateFile },
		check:   checkFile,
	},
}
