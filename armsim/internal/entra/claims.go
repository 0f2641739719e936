package entra

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
)

// claims are those of a service principal's token of the first version, which is
// what Resource Manager has (Microsoft's page access-token-claims-reference).
type claims struct {
	jwt.RegisteredClaims
	Audience   string `json:"aud"` // one string: clients parse it as that
	AppID      string `json:"appid"`
	AppIDACR   string `json:"appidacr"`
	Identity   string `json:"idp"`
	IdentityIs string `json:"idtyp"`
	Object     string `json:"oid"`
	Tenant     string `json:"tid"`
	Version    string `json:"ver"`
	Simulator  string `json:"armsim"`
}

// GetAudience is the audience as jwt checks it.
func (c claims) GetAudience() (jwt.ClaimStrings, error) { return jwt.ClaimStrings{c.Audience}, nil }

// managers are the audiences of Resource Manager, without a slash at their end:
// custom clouds name it by its endpoint, Azure's own in several ways.
func (d *Issuer) managers() []string {
	return []string{d.Endpoint, "https://management.azure.com", "https://management.core.windows.net"}
}

// graphs are the audiences of Microsoft Graph and the one before it.
func (d *Issuer) graphs() []string {
	return []string{d.Endpoint + "/graph", "https://graph.microsoft.com", "https://graph.windows.net"}
}

// Authority is where the tenant's tokens come from.
func (d *Issuer) Authority() string { return d.Endpoint + "/" + d.tenant }

// IssueLocked makes an access token for a principal. The lock of the world's owner
// must be held, as the times are simulated.
func (d *Issuer) IssueLocked(client, audience string) (string, error) {
	now := d.clock.Now()
	if last := d.issued; last.token != "" && last.client == client && last.audience == audience && last.second == now.Unix() {
		return last.token, nil
	}
	object := client
	if p := d.anyPrincipal(client); p != nil {
		object = p.Object()
	}
	issuer := "https://sts.windows.net/" + d.tenant + "/"
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now.Add(-5 * time.Minute)),
			ExpiresAt: jwt.NewNumericDate(now.Add(d.lifetime)),
			Subject:   object,
		},
		Audience: audience, AppID: client, AppIDACR: "1", Identity: issuer, IdentityIs: "app", Object: object, Tenant: d.tenant,
		Version: "1.0", Simulator: d.name,
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
	case !slices.Contains(d.managers(), strings.TrimSuffix(c.Audience, "/")):
		return Principal{}, d.wrongAudience(c.Audience)
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

// wrongAudience has Azure's words, as users report them.
func (d *Issuer) wrongAudience(audience string) *azhttp.Problem {
	var allowed []string
	for _, one := range d.managers() {
		allowed = append(allowed, "'"+one+"/'", "'"+one+"'")
	}
	return azhttp.Unauthorized("InvalidAuthenticationTokenAudience",
		"The access token has been obtained for wrong audience or resource '%s'. It should exactly match with one of the allowed audiences %s.",
		audience, strings.Join(allowed, ","))
}
