package entra

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Principal is a service principal that may ask for tokens.
type Principal struct {
	ClientID string
	Secret   string

	// CertificatePEM is a certificate whose key may sign client assertions.
	CertificatePEM []byte

	// FederatedToken is an assertion accepted as it is, as an identity
	// provider's token is for a federated credential.
	FederatedToken string

	// ObjectID names the principal in role assignments; empty: ClientID.
	ObjectID string

	// Actions are granted RBAC actions, "*" for any part, as
	// "Microsoft.Compute/virtualMachineScaleSets/*". They are a custom role at the
	// subscription. A principal with neither Actions nor Roles is Owner of the
	// subscription, unless NoRights is set.
	Actions []string

	// Roles are assigned at the start.
	Roles []Role

	// NoRights leaves a principal without Actions and Roles with no right but
	// those that role assignments give it.
	NoRights bool
}

// Role is an assigned role.
type Role struct {
	Name  string // of Azure's, as "Reader"
	Scope string // a resource ID; empty: the subscription. One that begins with "/resourceGroups/" is the subscription's
}

// Object is the object ID.
func (p *Principal) Object() string { return cmp.Or(p.ObjectID, p.ClientID) }

// Issuer issues and verifies access tokens. Its fields do not change after
// NewIssuer, but for verified and issued, which the lock of the world's owner
// guards.
type Issuer struct {
	// Directory finds a principal that came later by its client ID, nil where
	// there is none. The lock of the world's owner is held.
	Directory func(client string) *Principal

	tenant     string
	principals []Principal
	lifetime   time.Duration
	key        *rsa.PrivateKey
	clock      *world.Clock

	name     string // in tokens: another simulator's are signed with the same key
	verified map[string]verifiedToken
	issued   issuedToken
}

// issuedToken is the latest. One for the same claims would be the same token,
// so signing it again is spared.
type issuedToken struct {
	client, audience string
	second           int64
	token            string
}

// verifiedToken is kept to spare RSA's work.
type verifiedToken struct {
	principal Principal
	expires   time.Time
}

// verifiedTokens bounds the memory of them.
const verifiedTokens = 100

// tokenKey is made once: it is slow, and thousands of simulators may run in a
// test's process.
var tokenKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

const keyID = "armsim"

// NewIssuer makes an issuer of tokens that are good for lifetime, in the time
// of the clock, for principals and identities. The error says that no key could
// be made.
func NewIssuer(tenant string, principals []Principal, identities []Identity, lifetime time.Duration, clock *world.Clock) (*Issuer, error) {
	key, err := tokenKey()
	if err != nil {
		return nil, fmt.Errorf("generate token key: %w", err)
	}
	principals = slices.Clone(principals)
	for _, i := range identities {
		principals = append(principals, i.Principal())
	}
	return &Issuer{
		tenant: tenant, principals: principals, lifetime: lifetime, key: key, clock: clock,
		name: randomName(), verified: map[string]verifiedToken{},
	}, nil
}

func randomName() string {
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	return hex.EncodeToString(raw)
}

type claims struct {
	jwt.RegisteredClaims
	AppID     string `json:"appid"`
	Object    string `json:"oid,omitempty"`
	Tenant    string `json:"tid"`
	Simulator string `json:"armsim"`
}

// IssueLocked makes an access token for a principal. The lock of the world's owner
// must be held, as the times are simulated.
func (d *Issuer) IssueLocked(client, audience string) (string, error) {
	now := d.clock.Now()
	if last := d.issued; last.token != "" && last.client == client && last.audience == audience && last.second == now.Unix() {
		return last.token, nil
	}
	object := ""
	if p := d.anyPrincipal(client); p != nil {
		object = p.Object()
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Audience:  jwt.ClaimStrings{audience},
			Issuer:    "https://sts.windows.net/" + d.tenant + "/",
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now.Add(-5 * time.Minute)),
			ExpiresAt: jwt.NewNumericDate(now.Add(d.lifetime)),
			Subject:   client,
		},
		AppID: client, Object: object, Tenant: d.tenant, Simulator: d.name,
	})
	token.Header["kid"] = keyID
	signed, err := token.SignedString(d.key)
	d.issued = issuedToken{client, audience, now.Unix(), signed}
	return signed, err
}

// VerifyLocked finds the principal of an Authorization header. The lock of the
// world's owner must be held, as times are simulated.
func (d *Issuer) VerifyLocked(header string) (Principal, *azhttp.Problem) {
	now := d.clock.Now()
	raw, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return Principal{}, azhttp.Unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	}
	if k, ok := d.verified[raw]; ok && now.Before(k.expires) {
		return k.principal, nil
	}
	var c claims
	_, err := jwt.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return &d.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithExpirationRequired())
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Principal{}, azhttp.Unauthorized("ExpiredAuthenticationToken",
			"The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", c.ExpiresAt.UTC().Format(time.RFC1123), now.UTC().Format(time.RFC1123))
	case err != nil || c.Simulator != d.name:
		return Principal{}, azhttp.Unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
	}
	if p := d.anyPrincipal(c.AppID); p != nil {
		if len(d.verified) >= verifiedTokens {
			clear(d.verified)
		}
		d.verified[raw] = verifiedToken{*p, c.ExpiresAt.Time}
		return *p, nil
	}
	return Principal{}, azhttp.Unauthorized("InvalidAuthenticationToken", "The access token's application is unknown.")
}

func (d *Issuer) principal(client string) *Principal {
	for i := range d.principals {
		if strings.EqualFold(d.principals[i].ClientID, client) {
			return &d.principals[i]
		}
	}
	return nil
}

// anyPrincipal is principal, or one of the directory.
func (d *Issuer) anyPrincipal(client string) *Principal {
	if p := d.principal(client); p != nil || d.Directory == nil {
		return p
	}
	return d.Directory(client)
}

// oauthError is an error response of the token endpoint.
type oauthError struct {
	status      int
	code        string
	aadsts      int
	description string
}

func (e *oauthError) body() object {
	return object{
		"error":             e.code,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: armsim Correlation ID: armsim", e.aadsts, e.description),
		"error_codes":       []int{e.aadsts},
	}
}

func (e *oauthError) response() *azhttp.Response {
	return &azhttp.Response{Status: e.status, Body: e.body(), Code: e.code}
}

func tenantNotFound(tenant string) *oauthError {
	return &oauthError{http.StatusBadRequest, "invalid_tenant", 90002,
		fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant)}
}

// authenticate checks a client-credentials request.
func (d *Issuer) authenticate(client, secret, assertion string) *oauthError {
	p := d.principal(client)
	switch {
	case p == nil:
		return &oauthError{http.StatusBadRequest, "unauthorized_client", 700016,
			fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.", client, d.tenant)}
	case assertion != "" && accepts(p, assertion):
		return nil
	case assertion != "":
		return &oauthError{http.StatusUnauthorized, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application."}
	case secret != "" && p.Secret != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(p.Secret)) == 1:
		return nil
	}
	return &oauthError{http.StatusUnauthorized, "invalid_client", 7000215,
		fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", client)}
}

// accepts reports whether an assertion is the principal's federated token, or is
// signed by its certificate.
func accepts(p *Principal, assertion string) bool {
	if p.FederatedToken != "" && subtle.ConstantTimeCompare([]byte(assertion), []byte(p.FederatedToken)) == 1 {
		return true
	}
	block, _ := pem.Decode(p.CertificatePEM)
	if block == nil {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	token, err := jwt.Parse(assertion, func(*jwt.Token) (any, error) { return cert.PublicKey, nil }, jwt.WithValidMethods([]string{"RS256", "PS256"}))
	return err == nil && hasThumbprint(token, cert)
}

// hasThumbprint reports whether the assertion's header carries the certificate's
// thumbprint, by which Entra ID finds the key.
func hasThumbprint(token *jwt.Token, cert *x509.Certificate) bool {
	one, two := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw)
	x5t, _ := token.Header["x5t"].(string)
	x5t256, _ := token.Header["x5t#S256"].(string)
	encode := base64.RawURLEncoding.EncodeToString
	// Microsoft's own libraries write either alphabet of base64.
	normal := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace
	return normal(x5t) == encode(one[:]) || normal(x5t256) == encode(two[:])
}

func (d *Issuer) keys() object {
	encode := base64.RawURLEncoding.EncodeToString
	return object{"keys": []any{object{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": encode(d.key.N.Bytes()), "e": encode(big.NewInt(int64(d.key.E)).Bytes()),
	}}}
}
