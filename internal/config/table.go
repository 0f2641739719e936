package config

import "slices"

// Headings of the reference page.
const (
	groupScaleSet   = "Scale set"
	groupTimes      = "Times"
	groupLogin      = "Login"
	groupSuspend    = "Suspending"
	groupPool       = "Warm pool"
	groupLimits     = "Request limits"
	groupMetrics    = "Metrics"
	groupCloud      = "Cloud"
	groupCredential = "Credentials"
)

// Values of credential that the rules refer to.
const (
	credWorkload    = "workload_identity"
	credSecret      = "client_secret"
	credCertificate = "client_certificate"
)

const (
	guidForm = "00000000-0000-0000-0000-000000000000"
	idForm   = "/subscriptions/<subscription ID>/resourceGroups/<resource group>/providers/Microsoft.Compute/virtualMachineScaleSets/<name>"
	guidRule = "a GUID such as " + guidForm
)

var table = slices.Concat(scaleSetOptions, timeOptions, loginOptions, suspendOptions, poolOptions, graphOptions, metricsOptions, cloudOptions, credentialOptions)

var scaleSetOptions = []Option{
	{
		Group: groupScaleSet, Key: "name", Type: "string", Required: "unless `scale_sets` is given",
		Rule: `the scale set's name (1 to 64 characters, no spaces and none of \ / " [ ] : | < > + = ; , ? * @ &, ` +
			`not starting with _ and not ending in . or -) or its resource ID ` + idForm,
		Example: "ci-runners",
		Doc: "The scale set that the runner scales: its name, or its full resource ID. " +
			"A resource ID also gives the subscription and the resource group; if those keys are set as well, they must agree with it.",
		aliases: []string{"scale_set", "scale_set_name", "vmss", "vmss_name", "virtual_machine_scale_set", "resource_id"},
		at:      func(c *Config) *string { return &c.Name },
		check:   checkName,
	},
	scaleSetsOption,
	{
		Group: groupScaleSet, Key: "subscription_id", Type: "string", Required: "unless all scale sets are given by their resource IDs",
		Rule: guidRule, Example: guidForm,
		Doc:     "The subscription of the scale set, or of those of `scale_sets` that are given by their names.",
		aliases: []string{"subscription", "azure_subscription_id"},
		at:      func(c *Config) *string { return &c.SubscriptionID },
		check:   checkGUID,
	},
	{
		Group: groupScaleSet, Key: "resource_group_name", Type: "string", Required: "unless all scale sets are given by their resource IDs",
		Rule:    "1 to 90 letters, digits or any of _ ( ) - . with no period at the end",
		Example: "ci",
		Doc:     "The resource group of the scale set, or of those of `scale_sets` that are given by their names.",
		aliases: []string{"resource_group", "group", "rg", "azure_resource_group"},
		at:      func(c *Config) *string { return &c.ResourceGroupName },
		check:   checkResourceGroup,
	},
}

var cloudOptions = []Option{cloudOption, apiVersionOption}

var cloudOption = Option{
	Group: groupCloud, Key: "cloud", Type: "string or table", Default: "AzurePublic", AnyCase: true,
	Choices: []Choice{
		{Value: "AzurePublic", Doc: "Azure's public cloud.", aliases: []string{"AzureCloud", "AzurePublicCloud", "public"}},
		{Value: "AzureChina", Doc: "Azure operated by 21Vianet.", aliases: []string{"AzureChinaCloud", "china"}},
		{
			Value: "AzureUSGovernment", Doc: "Azure Government.",
			aliases: []string{"AzureGovernment", "AzureUSGovernmentCloud", "AzureGov", "usgovernment", "usgov"},
		},
	},
	Rule:    "the name of a cloud, in any case, or a table with the URLs of another one",
	Example: "AzurePublic",
	Doc:     "The Azure cloud to connect to.",
	Keys:    cloudKeys,
	aliases: []string{"environment", "azure_cloud", "azure_environment", "cloud_name"},
	at:      func(c *Config) *string { return &c.Cloud.Name },
}

// OldestAPIVersion is the first version of Microsoft.Compute in which a scale set has
// an ETag, without which the plugin writes nothing (changelog of Azure's SDK,
// armcompute 5.4.0, of 2023-12-22).
const OldestAPIVersion = "2023-09-01"

var apiVersionOption = Option{
	Group: groupCloud, Key: "api_version", Type: "string",
	Rule:    "a version of Microsoft.Compute from " + OldestAPIVersion + " on, such as 2024-07-01",
	Example: "2024-07-01",
	Doc: "The api-version of requests to Microsoft.Compute. " +
		"Left out, it is the one that this release was made with, or the newest older one that the cloud lists when it refuses that. " +
		"The oldest that has what the plugin relies on, the ETag of a scale set, is " + OldestAPIVersion + ".",
	aliases: []string{"compute_api_version"},
	at:      func(c *Config) *string { return &c.APIVersion },
	check:   checkAPIVersion,
}

var cloudKeys = []Option{
	{
		Key: "authority_host", Type: "string", Required: "in the table",
		Rule:    "an https URL such as https://login.microsoftonline.com/",
		Example: "https://login.example.com/",
		Doc:     "The URL from which tokens are requested.",
		aliases: []string{"authority", "active_directory_authority_host", "login_endpoint"},
		at:      func(c *Config) *string { return &c.Cloud.AuthorityHost },
		check:   checkURL,
	},
	{
		Key: "resource_manager_endpoint", Type: "string", Required: "in the table",
		Rule:    "an https URL such as https://management.azure.com/",
		Example: "https://management.example.com/",
		Doc:     "The URL of Azure Resource Manager.",
		aliases: []string{"endpoint", "resource_manager", "resource_manager_url"},
		at:      func(c *Config) *string { return &c.Cloud.ResourceManagerEndpoint },
		check:   checkURL,
	},
	{
		Key: "resource_manager_audience", Type: "string", Required: "in the table",
		Rule:    "an absolute URI such as https://management.azure.com/",
		Example: "https://management.example.com/",
		Doc:     "The audience of the tokens.",
		aliases: []string{"audience"},
		at:      func(c *Config) *string { return &c.Cloud.ResourceManagerAudience },
		check:   checkURI,
	},
}
