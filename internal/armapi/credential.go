package armapi

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

const secretVariable = "AZURE_CLIENT_SECRET"

// signIn is what the constructors of credentials need.
type signIn struct {
	cfg              config.Config
	base             policy.ClientOptions
	getenv           func(string) string
	disableDiscovery bool // do not verify the authority with Microsoft's public cloud
}

// tokenRetry is shorter than the SDK's: with the SDK's retries, two failing DNS
// lookups use up tryTimeout, and the error only says that the request timed out.
var tokenRetry = policy.RetryOptions{MaxRetries: 2, RetryDelay: 500 * time.Millisecond, MaxRetryDelay: 2 * time.Second}

// newCredential returns the credential that cfg names. base has no retry options:
// azidentity has better ones for the identity endpoint of a machine.
func newCredential(cfg config.Config, base policy.ClientOptions, getenv func(string) string) (azcore.TokenCredential, error) {
	s := signIn{cfg: cfg, base: base, getenv: getenv, disableDiscovery: cfg.Cloud.Name == ""}
	if cfg.Credential != "managed_identity" && cfg.Credential != "default" {
		s.base.Retry = tokenRetry
	}
	constructors := map[string]func() (azcore.TokenCredential, error){
		"client_secret":      s.secret,
		"client_certificate": s.certificate,
		"managed_identity":   s.managed,
		"workload_identity":  s.workload,
		"azure_cli":          s.cli,
		"environment":        s.environment,
		"default":            s.chain,
	}
	construct := constructors[cfg.Credential]
	if construct == nil {
		return nil, fmt.Errorf("credential %q is unknown", cfg.Credential)
	}
	cred, err := construct()
	if bad, ok := errors.AsType[*fileError](err); ok {
		return nil, bad
	}
	if err != nil {
		return nil, armerr.From("set up", fmt.Sprintf("credential %q", cfg.Credential), err)
	}
	return cred, nil
}

func (s signIn) secret() (azcore.TokenCredential, error) {
	secret := s.getenv(secretVariable)
	if s.cfg.ClientSecretFile != "" {
		content, err := readFile("client_secret_file", s.cfg.ClientSecretFile)
		if err != nil {
			return nil, err
		}
		secret = strings.TrimRight(string(content), "\r\n")
	}
	return azidentity.NewClientSecretCredential(s.cfg.TenantID, s.cfg.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: s.base, DisableInstanceDiscovery: s.disableDiscovery,
	})
}

func (s signIn) certificate() (azcore.TokenCredential, error) {
	const key = "client_certificate_file"
	content, err := readFile(key, s.cfg.ClientCertificateFile)
	if err != nil {
		return nil, err
	}
	certs, private, err := azidentity.ParseCertificates(content, nil)
	if err != nil {
		return nil, &fileError{
			key: key, path: s.cfg.ClientCertificateFile, problem: "contains no readable certificate with its private key",
			fix: "put both in one PEM or PKCS#12 file, without a password on the key", cause: err,
		}
	}
	// With the chain, an application can trust by subject name and issuer.
	return azidentity.NewClientCertificateCredential(s.cfg.TenantID, s.cfg.ClientID, certs, private,
		&azidentity.ClientCertificateCredentialOptions{
			ClientOptions: s.base, DisableInstanceDiscovery: s.disableDiscovery, SendCertificateChain: true,
		})
}

func (s signIn) managed() (azcore.TokenCredential, error) {
	o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: s.base}
	if s.cfg.ClientID != "" {
		o.ID = azidentity.ClientID(s.cfg.ClientID)
	}
	return azidentity.NewManagedIdentityCredential(o)
}

func (s signIn) workload() (azcore.TokenCredential, error) {
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: s.base, DisableInstanceDiscovery: s.disableDiscovery,
		ClientID: s.cfg.ClientID, TenantID: s.cfg.TenantID,
	})
}

func (s signIn) cli() (azcore.TokenCredential, error) {
	return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: s.cfg.TenantID})
}

func (s signIn) environment() (azcore.TokenCredential, error) {
	return azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{
		ClientOptions: s.base, DisableInstanceDiscovery: s.disableDiscovery,
	})
}

func (s signIn) chain() (azcore.TokenCredential, error) {
	if s.cfg.ClientID != "" {
		return s.chainWithClientID()
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: s.base, DisableInstanceDiscovery: s.disableDiscovery, TenantID: s.cfg.TenantID,
	})
}

// chainWithClientID is the default chain for an identity that was named, which the
// SDK's own takes from AZURE_CLIENT_ID alone. Tools of a developer sign in as
// somebody else, and an application in the environment must be the named one.
func (s signIn) chainWithClientID() (azcore.TokenCredential, error) {
	var sources []azcore.TokenCredential
	if strings.EqualFold(s.getenv("AZURE_CLIENT_ID"), s.cfg.ClientID) {
		if cred, err := s.environment(); err == nil {
			sources = append(sources, cred)
		}
	}
	if cred, err := s.workload(); err == nil {
		sources = append(sources, cred)
	}
	cred, err := s.managed()
	if err != nil {
		return nil, err
	}
	return azidentity.NewChainedTokenCredential(append(sources, cred), nil)
}
