package armapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

func cloudOf(c config.Cloud) cloud.Configuration {
	switch c.Name {
	case "AzurePublic":
		return cloud.AzurePublic
	case "AzureChina":
		return cloud.AzureChina
	case "AzureUSGovernment":
		return cloud.AzureGovernment
	}
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: c.AuthorityHost,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: c.ResourceManagerEndpoint, Audience: c.ResourceManagerAudience},
		},
	}
}

func endpoint(c cloud.Configuration) string { return c.Services[cloud.ResourceManager].Endpoint }

// stayHome refuses requests to other hosts than Azure Resource Manager's. The
// SDK follows the links in answers, with a token, wherever they lead.
type stayHome struct{ endpoint string }

// Do implements policy.Policy.
func (s stayHome) Do(r *policy.Request) (*http.Response, error) {
	home, err := url.Parse(s.endpoint)
	if err != nil {
		return nil, err
	}
	at, name := r.Raw().URL, strings.ToLower(home.Hostname())
	host := strings.ToLower(at.Hostname())
	// Azure may name its default port, or a region in front of the host.
	if at.Scheme != home.Scheme || host != name && !strings.HasSuffix(host, "."+name) {
		return nil, fmt.Errorf("the answer links to %s, which is not Azure Resource Manager", at.Host)
	}
	return r.Next()
}
