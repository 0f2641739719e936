package entra

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

type object = jsonmap.Object

// Server is Entra ID over HTTP, and the cloud's metadata. Its fields must not
// change once it serves.
type Server struct {
	Endpoint string // https, no trailing slash
	Audience string // of tokens for Resource Manager
	Issuer   *Issuer

	Identities []Identity // of the virtual machine that clients run on; empty: it has no metadata service, unless
	Metadata   bool       // says so

	Lock    sync.Locker // of the world's owner
	Rules   *fault.Rules
	Journal *azhttp.Journal
	Gate    azhttp.Gate

	attached []Identity // later; guarded by Lock
}

// AttachLocked gives the virtual machine one more identity. The lock must be
// held.
func (s *Server) AttachLocked(i Identity) { s.attached = append(s.attached, i) }

// Serve responds to what is not Resource Manager's: the token endpoint, OpenID
// discovery and the cloud's metadata. It reports whether the path is one of
// these.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) bool {
	path := strings.Trim(r.URL.Path, "/")
	tenant, rest, _ := strings.Cut(path, "/")
	switch strings.ToLower(rest) {
	case ".well-known/openid-configuration", "v2.0/.well-known/openid-configuration":
		s.tenantOnly(w, tenant, s.openID(tenant))
	case "discovery/v2.0/keys", "discovery/keys":
		azhttp.WriteJSON(w, http.StatusOK, s.Issuer.keys())
	case "discovery/instance":
		azhttp.WriteJSON(w, http.StatusOK, object{
			"tenant_discovery_endpoint": s.Endpoint + "/" + s.Issuer.tenant + "/v2.0/.well-known/openid-configuration", "metadata": []any{}})
	case "oauth2/v2.0/token":
		s.serveToken(w, r, tenant)
	case "endpoints":
		if !strings.EqualFold(tenant, "metadata") {
			return false
		}
		s.serveMetadata(w, r)
	default:
		return false
	}
	return true
}

func (s *Server) tenantOnly(w http.ResponseWriter, tenant string, body object) {
	if e := s.checkTenant(tenant); e != nil {
		azhttp.WriteJSON(w, e.status, e.body())
		return
	}
	azhttp.WriteJSON(w, http.StatusOK, body)
}

func (s *Server) checkTenant(tenant string) *oauthError {
	if strings.EqualFold(tenant, s.Issuer.tenant) || slices.Contains([]string{"common", "organizations"}, strings.ToLower(tenant)) {
		return nil
	}
	return tenantNotFound(tenant)
}

func (s *Server) openID(tenant string) object {
	base := s.Endpoint + "/" + tenant
	return object{
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"issuer":                                s.Endpoint + "/" + s.Issuer.tenant + "/v2.0",
		"token_endpoint_auth_methods_supported": []any{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_types_supported":              []any{"token"},
		"subject_types_supported":               []any{"pairwise"},
		"id_token_signing_alg_values_supported": []any{"RS256"},
	}
}

// serveToken is the client-credentials grant.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request, tenant string) {
	body, e := s.token(r, tenant)
	response := &azhttp.Response{Status: http.StatusOK, Body: body}
	if e != nil {
		response = e.response()
	}
	s.respond(w, r, azhttp.Entry{ClientID: r.PostFormValue("client_id")}, []string{tenant}, response)
}

// respond sends the response to a token request, or what a fault makes of it,
// and writes it to the journal; objects are what rules may name.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, entry azhttp.Entry, objects []string, response *azhttp.Response) {
	entry.Operation, entry.Method, entry.Path = fault.Token, r.Method, r.URL.Path
	effect := &fault.Effect{}
	s.Lock.Lock()
	if rule := s.Rules.For(fault.Subject{Operation: fault.Token, Objects: objects}); rule != nil {
		effect, entry.Fault, entry.Cut = &rule.Effect, rule.Name, rule.Cut
	}
	if effect.Error != nil || effect.Cut != "" {
		response = injectedError(effect)
	}
	entry.Time, entry.Status, entry.Code = s.Gate.Clock.Now(), response.Status, response.Code
	s.Journal.Add(entry)
	due := s.Gate.DueLocked(effect)
	s.Lock.Unlock()
	s.Gate.Wait(r.Context(), effect, due)
	maps.Copy(w.Header(), response.Header)
	azhttp.WriteJSON(w, response.Status, response.Body)
}

// injectedError is the effect's error in Entra ID's shape.
func injectedError(e *fault.Effect) *azhttp.Response {
	r := azhttp.InjectedError(e)
	if e.Error != nil && e.Error.Body == "" {
		code := cmp.Or(e.Error.Code, "temporarily_unavailable")
		oauth := &oauthError{r.Status, code, 90033, cmp.Or(e.Error.Message, "A transient error has occurred. Please try again.")}
		r.Code, r.Body = code, oauth.body()
	}
	return r
}

func (s *Server) token(r *http.Request, tenant string) (object, *oauthError) {
	if e := s.checkTenant(tenant); e != nil {
		return nil, e
	}
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return nil, &oauthError{http.StatusBadRequest, "invalid_request", 900144, "The request body must be a form."}
	}
	if grant := r.PostFormValue("grant_type"); grant != "client_credentials" {
		return nil, &oauthError{http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '" + grant + "'."}
	}
	client, secret := r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		client, secret = user, password
	}
	if e := s.Issuer.authenticate(client, secret, r.PostFormValue("client_assertion")); e != nil {
		return nil, e
	}
	return s.grant(client, r.PostFormValue("scope"))
}

// audiences that a token may be for: Azure's clouds name the manager in several
// ways, and custom clouds by their endpoint.
func (s *Server) audiences() []string {
	return []string{strings.TrimSuffix(s.Audience, "/"), s.Endpoint, "https://management.azure.com", "https://management.core.windows.net"}
}

func (s *Server) grant(client, scope string) (object, *oauthError) {
	audience, isDefault := "", false
	for _, one := range strings.Fields(scope) {
		if a, ok := strings.CutSuffix(one, "/.default"); ok {
			audience, isDefault = strings.TrimSuffix(a, "/"), true
		}
	}
	if !isDefault || !slices.Contains(s.audiences(), audience) {
		return nil, &oauthError{http.StatusBadRequest, "invalid_resource", 500011,
			"The resource principal named '" + scope + "' was not found in the tenant."}
	}
	s.Lock.Lock()
	defer s.Lock.Unlock()
	token, err := s.Issuer.IssueLocked(client, audience)
	if err != nil {
		return nil, &oauthError{http.StatusInternalServerError, "server_error", 90033, err.Error()}
	}
	seconds := int(s.Issuer.lifetime.Seconds())
	return object{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}, nil
}

// serveMetadata describes the cloud, as Azure CLI's "cloud register" and
// Terraform's metadata_host ask for it: an object from 2022 on and in 2015, a
// list between.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	cloud := object{
		"name": "armsim", "portal": s.Endpoint, "graph": s.Endpoint, "media": s.Endpoint,
		"resourceManager": s.Endpoint, "galleryEndpoint": s.Endpoint, "graphEndpoint": s.Endpoint, "portalEndpoint": s.Endpoint,
		"authentication": object{
			"loginEndpoint": s.Endpoint, "audiences": []any{s.Audience},
			"tenant": s.Issuer.tenant, "identityProvider": "AAD",
		},
		"suffixes": object{"storage": "armsim.invalid", "keyVaultDns": "vault.armsim.invalid"},
	}
	if v := azhttp.QueryFold(r.URL.Query(), "api-version"); v >= "2019-01-01" && v < "2022-01-01" {
		azhttp.WriteJSON(w, http.StatusOK, []any{cloud})
		return
	}
	azhttp.WriteJSON(w, http.StatusOK, cloud)
}
