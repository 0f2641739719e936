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

// sameHostPolicy refuses requests to hosts other than Azure Resource Manager's.
// The SDK follows links in responses to any host, and sends the token along.
type sameHostPolicy struct{ endpoint string }

// Do implements policy.Policy.
func (s sameHostPolicy) Do(r *policy.Request) (*http.Response, error) {
	base, err := url.Parse(s.endpoint)
	if err != nil {
		return nil, err
	}
	at, name := r.Raw().URL, strings.ToLower(base.Hostname())
	host := strings.ToLower(at.Hostname())
	// Azure may name its default port, or a region in front of the host.
	if at.Scheme != base.Scheme || host != name && !strings.HasSuffix(host, "."+name) {
		return nil, fmt.Errorf("response links to %s, which is not Azure Resource Manager", at.Host)
	}
	return r.Next()
}
