package binary_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

const federatedToken = "header.payload.signature" // the simulator compares, and does not look inside

// newCertificate makes a certificate with its key, and gives it alone as well.
func newCertificate(t *testing.T) (both, certificate []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "runner"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), certificate...), certificate
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "credential")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

// ways is each way to sign in that needs no machine of Azure's, as changes to a
// configuration that has none.
func ways(t *testing.T, certificate []byte) map[string][]change {
	tenant, client := variable("AZURE_TENANT_ID", armsim.DefaultTenantID), variable("AZURE_CLIENT_ID", armsim.DefaultClientID)
	password := variable("AZURE_CLIENT_SECRET", launch.ClientSecret)
	application := func(in *input) {
		in.config["tenant_id"], in.config["client_id"] = armsim.DefaultTenantID, armsim.DefaultClientID
	}
	token := variable("AZURE_FEDERATED_TOKEN_FILE", writeFile(t, []byte(federatedToken)))
	secretFile := key("client_secret_file", writeFile(t, []byte(launch.ClientSecret+"\n")))
	certificateFile := key("client_certificate_file", writeFile(t, certificate))
	return map[string][]change{
		"environment":                           {key("credential", "environment"), tenant, client, password},
		"environment certificate":               {key("credential", "environment"), tenant, client, variable("AZURE_CLIENT_CERTIFICATE_PATH", writeFile(t, certificate))},
		"default":                               {key("credential", "default"), tenant, client, password},
		"no credential key":                     {without("credential"), tenant, client, password},
		"secret file":                           {key("credential", "client_secret"), application, secretFile},
		"secret file, IDs from the environment": {key("credential", "client_secret"), tenant, client, secretFile},
		"secret from the environment":           {key("credential", "client_secret"), application, password},
		"certificate":                           {key("credential", "client_certificate"), application, certificateFile},
		"workload identity":                     {key("credential", "workload_identity"), tenant, client, token},
		"workload identity, IDs in config.toml": {key("credential", "workload_identity"), application, token},
		"default with workload identity":        {key("credential", "default"), tenant, client, token},
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	both, certificate := newCertificate(t)
	s := launch.Simulator(t, armsim.Config{NoMachines: true, Principals: []armsim.Principal{{
		ClientID: armsim.DefaultClientID, Secret: launch.ClientSecret, CertificatePEM: certificate, FederatedToken: federatedToken,
	}}}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	for name, changes := range ways(t, both) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &input{config: launch.ConfigFor(s, "ci"), env: launch.Environment{}}
			nobody(in)
			in.env["SSL_CERT_FILE"] = s.CAFile
			for _, c := range changes {
				c(in)
			}
			p := launch.Start(t, in.env, in.config)
			p.Open(t)
			p.AwaitRunning(t, 1)
			for _, hidden := range []string{launch.ClientSecret, federatedToken} {
				assert.NotContains(t, p.Log.String(), hidden)
			}
		})
	}
}

// Azure shows IDs in whatever case it likes, and users paste them.
func TestResourceIDInOddCase(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	var before []string
	for _, id := range []string{"ci", s.ScaleSetPath("ci"), strings.ToUpper(s.ScaleSetPath("ci")), strings.ToLower(s.ScaleSetPath("ci"))} {
		c := launch.ConfigFor(s, id)
		if id != "ci" {
			delete(c, "subscription_id")
			delete(c, "resource_group_name")
		}
		p := launch.Start(t, launch.EnvironmentOf(s), c)
		p.Open(t)
		now := p.AwaitRunning(t, 1)
		if before != nil {
			assert.Equal(t, before, now, "the instance must not change its ID with the spelling")
		}
		before = now
	}
}

// The three keys of GitLab's documentation are all that a config.toml needs.
func TestOfficialKeysAreEnough(t *testing.T) {
	t.Parallel()
	raw := fmt.Sprintf(`{"name":"ci","subscription_id":%q,"resource_group_name":"runners"}`, armsim.DefaultSubscriptionID)
	c, err := config.Parse([]byte(raw), nil)
	require.NoError(t, err)
	assert.Equal(t, config.Config{
		Name: "ci", SubscriptionID: armsim.DefaultSubscriptionID, ResourceGroupName: "runners",
		Cloud: config.Cloud{Name: "AzurePublic"}, Credential: "default", CreationLimit: "25m", FailedGrace: "2m", UseResourceGraph: "false",
		SSHKeyType: "ed25519", SuspendMode: "auto", WarmPoolSize: "0",
	}, c)
}

// Azure/azure-sdk-for-go#19389 and AzureAD/microsoft-authentication-library-for-dotnet#5176:
// whoever gives the tokens is down for a while, as a machine's identity endpoint,
// which the simulator has not, so it is Entra ID here. The fleet is kept, and no
// restart is needed. (The log is searched for secrets when the plugin ends.)
func TestF39EntraIDIsDown(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true, TokenLifetime: 6 * time.Second}, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	p := launch.Open(t, s)
	ids := p.AwaitRunning(t, 2)
	require.NoError(t, s.AddFaults(armsim.Fault{Operation: "Token", Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 503}}}))
	down := 0
	for begun := time.Now(); time.Since(begun) < launch.Patience && down == 0; time.Sleep(launch.Tick) {
		states, err := p.States(t)
		if err != nil {
			down++
			assert.Empty(t, states)
			continue
		}
		for id, state := range states {
			assert.Equal(t, provider.StateRunning, state, id)
		}
	}
	require.Equal(t, 1, down, "or nothing is proved")
	s.ClearFaults()
	require.Eventually(t, func() bool {
		states, err := p.States(t)
		return err == nil && slices.Equal(ids, slices.Sorted(maps.Keys(states)))
	}, launch.Patience, launch.Tick)
	assert.Equal(t, ids, p.AwaitRunning(t, 2))
}
