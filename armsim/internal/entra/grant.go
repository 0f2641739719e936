package entra

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// version is one of the two token endpoints: the first is asked for a resource,
// the second for a scope.
type version int

const (
	versionOne version = iota + 1
	versionTwo
)

func (s *Server) token(r *http.Request, tenant string, v version) (object, *oauthError) {
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
	if v == versionOne {
		return s.grantFirst(client, r.PostFormValue("resource"))
	}
	return s.grantScope(client, r.PostFormValue("scope"))
}

// grantScope grants a scope of the second endpoint. What is before "/.default"
// is the audience to the letter, a slash at its end included.
func (s *Server) grantScope(client, scope string) (object, *oauthError) {
	for _, one := range strings.Fields(scope) {
		if audience, ok := strings.CutSuffix(one, "/.default"); ok {
			return s.grant(client, audience)
		}
	}
	return nil, resourceNotFound(scope)
}

// grantFirst is the response of the first endpoint, all of whose values are text.
func (s *Server) grantFirst(client, resource string) (object, *oauthError) {
	granted, e := s.grant(client, resource)
	if e != nil {
		return nil, e
	}
	s.Lock.Lock()
	now := s.Gate.Clock.Now()
	s.Lock.Unlock()
	return object{
		"access_token": granted["access_token"], "token_type": "Bearer", "resource": resource,
		"expires_in": fmt.Sprint(granted["expires_in"]), "ext_expires_in": fmt.Sprint(granted["ext_expires_in"]),
		"expires_on": fmt.Sprint(now.Add(s.Issuer.lifetime).Unix()), "not_before": fmt.Sprint(now.Unix()),
	}, nil
}

func (s *Server) grant(client, audience string) (object, *oauthError) {
	if !slices.Contains(slices.Concat(s.Issuer.managers(), s.Issuer.graphs()), strings.TrimSuffix(audience, "/")) {
		return nil, resourceNotFound(audience)
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

func resourceNotFound(name string) *oauthError {
	return &oauthError{http.StatusBadRequest, "invalid_resource", 500011, "The resource principal named '" + name + "' was not found in the tenant."}
}
