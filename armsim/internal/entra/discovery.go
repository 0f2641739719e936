package entra

import "strings"

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

// instance says which authority there is, and that it goes by one name.
func (s *Server) instance() object {
	host := strings.TrimPrefix(s.Endpoint, "https://")
	return object{
		"tenant_discovery_endpoint": s.Endpoint + "/" + s.Issuer.tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  []any{object{"preferred_network": host, "preferred_cache": host, "aliases": []any{host}}},
	}
}
