package armsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// identity is the Entra ID side: it issues and verifies access tokens. Its
// fields do not change after newIdentity, but for known, which the store's lock
// guards.
type identity struct {
	tenant     string
	principals []Principal
	lifetime   time.Duration
	key        *rsa.PrivateKey
	now        func() time.Time

	// name tells this simulator's tokens from others', which the same key signed.
	name  string
	known map[string]known // verified tokens
}

// known is a token that was verified, to spare RSA's work.
type known struct {
	principal Principal
	expires   time.Time
}

// knownTokens bounds the memory of them.
const knownTokens = 100

// tokenKey is made once: it is slow, and thousands of simulators may run in a
// test's process.
var tokenKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

const keyID = "armsim"

func newIdentity(c Config, now func() time.Time) (*identity, error) {
	key, err := tokenKey()
	if err != nil {
		return nil, fmt.Errorf("generate token key: %w", err)
	}
	return &identity{
		tenant: c.TenantID, principals: c.Principals, lifetime: c.TokenLifetime, key: key, now: now,
		name: randomHex(8), known: map[string]known{},
	}, nil
}

// audiences that a token may be for: Azure's clouds name the manager in several
// ways, and custom clouds by their endpoint.
func (s *Server) audiences() []string {
	return []string{strings.TrimSuffix(s.Audience, "/"), s.Endpoint, "https://management.azure.com", "https://management.core.windows.net"}
}

type claims struct {
	jwt.RegisteredClaims
	AppID     string `json:"appid"`
	Tenant    string `json:"tid"`
	Simulator string `json:"armsim"`
}

// issue makes an access token for a principal.
func (d *identity) issue(client, audience string) (string, error) {
	now := d.now()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Audience:  jwt.ClaimStrings{audience},
			Issuer:    "https://sts.windows.net/" + d.tenant + "/",
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now.Add(-5 * time.Minute)),
			ExpiresAt: jwt.NewNumericDate(now.Add(d.lifetime)),
			Subject:   client,
		},
		AppID: client, Tenant: d.tenant, Simulator: d.name,
	})
	token.Header["kid"] = keyID
	return token.SignedString(d.key)
}

// verify reads an Authorization header. The store's lock must be held: now is
// simulated time.
func (d *identity) verify(header string, now time.Time) (Principal, *problem) {
	raw, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return Principal{}, authenticationFailed("The 'Authorization' header is missing.")
	}
	if k, ok := d.known[raw]; ok && now.Before(k.expires) {
		return k.principal, nil
	}
	var c claims
	_, err := jwt.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return &d.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithExpirationRequired())
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Principal{}, invalidToken("ExpiredAuthenticationToken",
			"The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", c.ExpiresAt.UTC().Format(time.RFC1123), now.UTC().Format(time.RFC1123))
	case err != nil || c.Simulator != d.name:
		return Principal{}, invalidToken("InvalidAuthenticationToken", "The access token is invalid.")
	}
	if p := d.principal(c.AppID); p != nil {
		if len(d.known) >= knownTokens {
			clear(d.known)
		}
		d.known[raw] = known{*p, c.ExpiresAt.Time}
		return *p, nil
	}
	return Principal{}, invalidToken("InvalidAuthenticationToken", "The access token's application is unknown.")
}

func (d *identity) principal(client string) *Principal {
	for i := range d.principals {
		if strings.EqualFold(d.principals[i].ClientID, client) {
			return &d.principals[i]
		}
	}
	return nil
}

// may says whether the principal holds the action; "*" in a grant stands for
// anything, as in Azure's roles.
func (p Principal) may(action string) bool {
	if len(p.Actions) == 0 {
		return true
	}
	for _, granted := range p.Actions {
		if wildcard(strings.ToLower(granted), strings.ToLower(action)) {
			return true
		}
	}
	return false
}

func wildcard(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// oauthError is an error answer of the token endpoint.
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

func tenantNotFound(tenant string) *oauthError {
	return &oauthError{http.StatusBadRequest, "invalid_tenant", 90002,
		fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant)}
}

// authenticate checks a client-credentials request.
func (d *identity) authenticate(client, secret, assertion string) *oauthError {
	p := d.principal(client)
	switch {
	case p == nil:
		return &oauthError{http.StatusBadRequest, "unauthorized_client", 700016,
			fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.", client, d.tenant)}
	case assertion != "" && p.accepts(assertion):
		return nil
	case assertion != "":
		return &oauthError{http.StatusUnauthorized, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application."}
	case secret != "" && p.Secret != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(p.Secret)) == 1:
		return nil
	}
	return &oauthError{http.StatusUnauthorized, "invalid_client", 7000215,
		fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", client)}
}

// accepts says whether an assertion is the principal's federated token, or is
// signed by its certificate.
func (p *Principal) accepts(assertion string) bool {
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
	return err == nil && names(token, cert)
}

// names says whether the assertion's header carries the certificate's
// thumbprint, by which Entra ID finds the key.
func names(token *jwt.Token, cert *x509.Certificate) bool {
	one, two := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw)
	x5t, _ := token.Header["x5t"].(string)
	x5t256, _ := token.Header["x5t#S256"].(string)
	encode := base64.RawURLEncoding.EncodeToString
	// Microsoft's own libraries write either alphabet of base64.
	plain := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace
	return plain(x5t) == encode(one[:]) || plain(x5t256) == encode(two[:])
}

func (d *identity) keys() object {
	encode := base64.RawURLEncoding.EncodeToString
	return object{"keys": []any{object{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": encode(d.key.N.Bytes()), "e": encode(big.NewInt(int64(d.key.E)).Bytes()),
	}}}
}
