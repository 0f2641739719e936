package azure_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
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
	password := variable("AZURE_CLIENT_SECRET", secret)
	application := func(in *input) {
		in.config["tenant_id"], in.config["client_id"] = armsim.DefaultTenantID, armsim.DefaultClientID
	}
	token := variable("AZURE_FEDERATED_TOKEN_FILE", writeFile(t, []byte(federatedToken)))
	secretFile := key("client_secret_file", writeFile(t, []byte(secret+"\n")))
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
	s := simulate(t, armsim.Config{NoMachines: true, Principals: []armsim.Principal{{
		ClientID: armsim.DefaultClientID, Secret: secret, CertificatePEM: certificate, FederatedToken: federatedToken,
	}}}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	for name, changes := range ways(t, both) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &input{config: settingsFor(s, "ci"), env: environment{}}
			nobody(in)
			in.env["SSL_CERT_FILE"] = s.CAFile
			for _, c := range changes {
				c(in)
			}
			p := startPlugin(t, in.env, in.config)
			p.open(t)
			p.running(t, 1)
			for _, hidden := range []string{secret, federatedToken} {
				assert.NotContains(t, p.log.String(), hidden)
			}
		})
	}
}

// Azure shows IDs in whatever case it likes, and users paste them.
func TestResourceIDInOddCase(t *testing.T) {
	t.Parallel()
	s := simulate(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	var before []string
	for _, id := range []string{"ci", s.ScaleSetPath("ci"), strings.ToUpper(s.ScaleSetPath("ci")), strings.ToLower(s.ScaleSetPath("ci"))} {
		c := settingsFor(s, id)
		if id != "ci" {
			delete(c, "subscription_id")
			delete(c, "resource_group_name")
		}
		p := startPlugin(t, environmentOf(s), c)
		p.open(t)
		now := p.running(t, 1)
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
		Cloud: config.Cloud{Name: "AzurePublic"}, Credential: "default",
	}, c)
}
