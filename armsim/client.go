package armsim

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Client is an HTTP client that trusts the simulator's certificate authority
// and nothing else; in process, one with Transport.
func (s *Server) Client() *http.Client {
	if s.config.InProcess {
		return &http.Client{Transport: s.Transport()}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CAPEM)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
}

// Env is the environment that a client of the simulator needs, as KEY=value.
// It holds the first principal's secret.
func (s *Server) Env() []string {
	c := s.config
	env := []string{
		"AZURE_TENANT_ID=" + c.TenantID,
		"AZURE_CLIENT_ID=" + s.Principal.ClientID,
		"AZURE_CLIENT_SECRET=" + s.Principal.Secret,
		"AZURE_SUBSCRIPTION_ID=" + c.SubscriptionID,
		"AZURE_AUTHORITY_HOST=" + s.Endpoint + "/",
		"AZURE_RESOURCE_GROUP=" + c.ResourceGroup,
		"ARMSIM_ENDPOINT=" + s.Endpoint,
		"ARMSIM_AUDIENCE=" + s.Audience,
		"ARMSIM_CONTROL=" + s.ControlEndpoint,
		fmt.Sprintf("ARMSIM_SSH_PORT=%d", s.SSHPort),
		"SSL_CERT_FILE=" + s.CAFile,
	}
	if s.MetadataEndpoint != "" {
		// Azure's libraries read it, but the one for Go.
		env = append(env, "AZURE_POD_IDENTITY_AUTHORITY_HOST="+s.MetadataEndpoint, "ARMSIM_METADATA="+s.MetadataEndpoint)
	}
	return env
}

// ResourcePath is the path of a resource in the simulator's own subscription
// and resource group; rest is what follows the group.
func (s *Server) ResourcePath(rest string) string {
	return "/subscriptions/" + s.config.SubscriptionID + "/resourceGroups/" + s.config.ResourceGroup + rest
}

// ScaleSetPath is the path of a scale set in the simulator's own group.
func (s *Server) ScaleSetPath(name string) string {
	return s.ResourcePath("/providers/Microsoft.Compute/virtualMachineScaleSets/" + name)
}

// Put writes a resource through the API with the first principal's rights. The
// error holds Azure's code and message.
func (s *Server) Put(ctx context.Context, path, apiVersion string, body any) error {
	return s.Do(ctx, http.MethodPut, path, apiVersion, body)
}

// Do sends a request through the API with the first principal's rights, and
// drops the response unless it is an error.
func (s *Server) Do(ctx context.Context, method, path, apiVersion string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", strings.ToLower(method), path, err)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.Endpoint+path+"?api-version="+apiVersion, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("%s %s: %w", strings.ToLower(method), path, err)
	}
	token, err := s.Token()
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	client := s.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", strings.ToLower(method), path, err)
	}
	defer response.Body.Close()
	if response.StatusCode < 400 {
		return nil
	}
	var failure object
	if err := json.NewDecoder(response.Body).Decode(&failure); err != nil {
		return fmt.Errorf("%s %s: status %d: %w", strings.ToLower(method), path, response.StatusCode, err)
	}
	return fmt.Errorf("%s %s: %s (%d): %s", strings.ToLower(method), path, jsonmap.Text(failure, "error.code"), response.StatusCode, jsonmap.Text(failure, "error.message"))
}

// Token is an access token of the first principal.
func (s *Server) Token() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issuer.IssueLocked(s.Principal.ClientID, strings.TrimSuffix(s.Audience, "/"))
}
