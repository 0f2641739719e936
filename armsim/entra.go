package armsim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// serveEntra answers what is not ARM: the token endpoint, OpenID discovery and
// the cloud's metadata. It says false for a path that is none of these.
func (s *Server) serveEntra(w http.ResponseWriter, r *http.Request) bool {
	path := strings.Trim(r.URL.Path, "/")
	tenant, rest, _ := strings.Cut(path, "/")
	switch strings.ToLower(rest) {
	case ".well-known/openid-configuration", "v2.0/.well-known/openid-configuration":
		s.tenantOnly(w, tenant, s.openID(tenant))
	case "discovery/v2.0/keys", "discovery/keys":
		writeJSON(w, http.StatusOK, s.identity.keys())
	case "discovery/instance":
		writeJSON(w, http.StatusOK, object{
			"tenant_discovery_endpoint": s.Endpoint + "/" + s.config.TenantID + "/v2.0/.well-known/openid-configuration", "metadata": []any{}})
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
		writeJSON(w, e.status, e.body())
		return
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) checkTenant(tenant string) *oauthError {
	if strings.EqualFold(tenant, s.config.TenantID) || slices.Contains([]string{"common", "organizations"}, strings.ToLower(tenant)) {
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
		"issuer":                                s.Endpoint + "/" + s.config.TenantID + "/v2.0",
		"token_endpoint_auth_methods_supported": []any{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_types_supported":              []any{"token"},
		"subject_types_supported":               []any{"pairwise"},
		"id_token_signing_alg_values_supported": []any{"RS256"},
	}
}

// serveToken is the client-credentials grant.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request, tenant string) {
	body, e := s.token(r, tenant)
	entry := Entry{Operation: opToken, Method: r.Method, Path: r.URL.Path, ClientID: r.PostFormValue("client_id")}
	a := &answer{status: http.StatusOK, body: body}
	if e != nil {
		a = &answer{status: e.status, body: e.body(), code: e.code}
	}
	effect := &Effect{}
	s.mu.Lock()
	if rule := s.faultFor(subject{operation: opToken, objects: []string{tenant}}); rule != nil {
		effect, entry.Fault, entry.Cut = &rule.Effect, rule.Name, rule.Cut
	}
	if effect.Error != nil || effect.Cut != "" {
		a = effect.tokenAnswer()
	}
	entry.Time, entry.Status, entry.Code = s.time.now(), a.status, a.code
	s.journal.add(entry)
	due := s.due(effect)
	s.mu.Unlock()
	s.interrupted(r.Context(), effect, due)
	maps.Copy(w.Header(), a.header)
	writeJSON(w, a.status, a.body)
}

// tokenAnswer is errorAnswer in Entra ID's shape.
func (e *Effect) tokenAnswer() *answer {
	a := e.errorAnswer()
	if e.Error != nil && e.Error.Body == "" {
		a.code = cmp.Or(e.Error.Code, "temporarily_unavailable")
		a.body = (&oauthError{a.status, a.code, 90033, cmp.Or(e.Error.Message, "A transient error has occurred. Please try again.")}).body()
	}
	return a
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
	if e := s.identity.authenticate(client, secret, r.PostFormValue("client_assertion")); e != nil {
		return nil, e
	}
	return s.grant(client, r.PostFormValue("scope"))
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
	s.mu.Lock()
	defer s.mu.Unlock()
	token, err := s.identity.issue(client, audience)
	if err != nil {
		return nil, &oauthError{http.StatusInternalServerError, "server_error", 90033, err.Error()}
	}
	seconds := int(s.config.TokenLifetime.Seconds())
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
			"tenant": s.config.TenantID, "identityProvider": "AAD",
		},
		"suffixes": object{"storage": "armsim.invalid", "keyVaultDns": "vault.armsim.invalid"},
	}
	if v := queryFold(r.URL.Query(), "api-version"); v >= "2019-01-01" && v < "2022-01-01" {
		writeJSON(w, http.StatusOK, []any{cloud})
		return
	}
	writeJSON(w, http.StatusOK, cloud)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(encode(body)) // a client that went away is its own affair
}
