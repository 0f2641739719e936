package armsim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
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
	return []string{
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

// ScaleSetSpec is a scale set in a few words; CreateScaleSet makes it.
type ScaleSetSpec struct {
	Name          string
	Capacity      int
	Size          string // VM size; empty: Standard_D2s_v5
	AdminUsername string // empty: azureuser
	AdminPassword string // empty: password login is off
	PublicKey     string // in authorized_keys form
	PublicAddress bool   // each instance gets one

	OrchestrationMode string   // Uniform or Flexible; empty: Uniform
	Priority          string   // Regular or Spot; empty: Regular
	EvictionPolicy    string   // of Spot; empty: Deallocate
	Zones             []string // empty: none

	// Change may alter the model before it is sent.
	Change func(model map[string]any)
}

// CreateScaleSet makes a scale set through the API, as any client would, and
// returns its resource ID. It returns at acceptance.
func (s *Server) CreateScaleSet(ctx context.Context, spec ScaleSetSpec) (string, error) {
	model := spec.model(s.config)
	if spec.Change != nil {
		spec.Change(model)
	}
	path := s.ScaleSetPath(spec.Name)
	return path, s.Put(ctx, path, "2025-04-01", model)
}

func (p ScaleSetSpec) model(c Config) object {
	size, user := p.Size, p.AdminUsername
	if size == "" {
		size = "Standard_D2s_v5"
	}
	if user == "" {
		user = "azureuser"
	}
	linux := object{"disablePasswordAuthentication": p.AdminPassword == ""}
	if p.PublicKey != "" {
		linux["ssh"] = object{"publicKeys": []any{object{"path": "/home/" + user + "/.ssh/authorized_keys", "keyData": p.PublicKey}}}
	}
	os := object{"computerNamePrefix": p.Name, "adminUsername": user, "linuxConfiguration": linux}
	if p.AdminPassword != "" {
		os["adminPassword"] = p.AdminPassword
	}
	ip := object{"subnet": object{"id": "/subscriptions/" + c.SubscriptionID + "/resourceGroups/" + c.ResourceGroup + "/providers/Microsoft.Network/virtualNetworks/ci/subnets/runners"}, "primary": true}
	if p.PublicAddress {
		ip["publicIPAddressConfiguration"] = object{"name": "public", "properties": object{"idleTimeoutInMinutes": 4}}
	}
	nic := object{"name": "nic", "properties": object{"primary": true, "ipConfigurations": []any{object{"name": "ipconfig", "properties": ip}}}}
	profile := object{
		"osProfile":      os,
		"storageProfile": object{"imageReference": object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}},
		"networkProfile": object{"networkInterfaceConfigurations": []any{nic}},
	}
	model := object{
		"location": c.Location,
		"sku":      object{"name": size, "capacity": p.Capacity},
		"properties": object{
			"orchestrationMode": cmp.Or(p.OrchestrationMode, "Uniform"), "singlePlacementGroup": false, "virtualMachineProfile": profile,
		},
	}
	p.place(model, profile)
	return model
}

// place adds what depends on mode, priority and zones.
func (p ScaleSetSpec) place(model, profile object) {
	properties := model["properties"].(object)
	if strings.EqualFold(p.OrchestrationMode, "Flexible") {
		properties["platformFaultDomainCount"] = 1
		profile["networkProfile"].(object)["networkApiVersion"] = "2020-11-01" // a Flexible set demands one (azure-cli#17830)
	} else {
		properties["overprovision"], properties["upgradePolicy"] = false, object{"mode": "Manual"}
	}
	if p.Priority != "" {
		profile["priority"] = p.Priority
	}
	if p.EvictionPolicy != "" {
		profile["evictionPolicy"] = p.EvictionPolicy
	}
	if len(p.Zones) == 0 {
		return
	}
	zones := []any{}
	for _, zone := range p.Zones {
		zones = append(zones, zone)
	}
	model["zones"] = zones
}

// Put writes a resource through the API with the first principal's rights. The
// error holds Azure's code and message.
func (s *Server) Put(ctx context.Context, path, apiVersion string, body any) error {
	return s.Do(ctx, http.MethodPut, path, apiVersion, body)
}

// Do sends a request through the API with the first principal's rights, and
// drops the answer unless it is an error.
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
	var answer object
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s %s: status %d: %w", strings.ToLower(method), path, response.StatusCode, err)
	}
	return fmt.Errorf("%s %s: %s (%d): %s", strings.ToLower(method), path, text(answer, "error.code"), response.StatusCode, text(answer, "error.message"))
}

// Token is an access token of the first principal.
func (s *Server) Token() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity.issue(s.Principal.ClientID, strings.TrimSuffix(s.Audience, "/"))
}
