package entra

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
)

// Identity is a managed identity of the virtual machine that a client is said to
// run on.
type Identity struct {
	ClientID string

	// ObjectID and ResourceID name the identity in requests, too.
	ObjectID   string
	ResourceID string

	SystemAssigned bool // of which there is at most one

	// Actions, Roles and NoRights are the identity's rights, as a Principal's.
	Actions  []string
	Roles    []Role
	NoRights bool
}

// Principal is the identity as what logs in.
func (i *Identity) Principal() Principal {
	return Principal{ClientID: i.ClientID, ObjectID: i.ObjectID, Actions: i.Actions, Roles: i.Roles, NoRights: i.NoRights}
}

// metadataHost is where a virtual machine finds its instance metadata service.
const metadataHost = "169.254.169.254"

// identityPath is that service's token endpoint.
const identityPath = "/metadata/identity/oauth2/token"

// ServeIdentity responds to a request to the instance metadata service, also as
// a proxy for it. It reports whether the request is one.
func (s *Server) ServeIdentity(w http.ResponseWriter, r *http.Request) bool {
	if r.Host != metadataHost || !s.Metadata && len(s.Identities) == 0 {
		return false
	}
	if r.URL.Path != identityPath {
		http.NotFound(w, r)
		return true
	}
	body, e := s.identityToken(r)
	response := &azhttp.Response{Status: http.StatusOK, Body: body}
	if e != nil {
		response = e
	}
	s.respond(w, r, azhttp.Entry{ClientID: r.URL.Query().Get("client_id")}, []string{metadataHost}, response)
	return true
}

// identityError has the words of the instance metadata service.
func identityError(description string) *azhttp.Response {
	const code = "invalid_request"
	return &azhttp.Response{Status: http.StatusBadRequest, Code: code, Body: object{"error": code, "error_description": description}}
}

// identityToken issues a token of the identity that the request names. All its
// values are text (Microsoft's page on tokens on virtual machines).
func (s *Server) identityToken(r *http.Request) (object, *azhttp.Response) {
	query := r.URL.Query()
	resource := query.Get("resource")
	switch {
	case r.Method != http.MethodGet:
		return nil, &azhttp.Response{Status: http.StatusMethodNotAllowed, Body: object{"error": "method_not_allowed"}}
	case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
		return nil, identityError("Required metadata header not specified")
	case query.Get("api-version") == "":
		return nil, identityError("Required query variable 'api-version' is missing")
	case resource == "":
		return nil, identityError("Required query variable 'resource' is missing")
	}
	identity, e := s.identity(query.Get)
	if e != nil {
		return nil, e
	}
	granted, oauth := s.grantFirst(identity.ClientID, resource)
	if oauth != nil {
		return nil, oauth.response()
	}
	granted["client_id"] = identity.ClientID
	return granted, nil
}

// identity finds the identity that is asked for: the one that is named, else
// that of the system, else the only one there is.
func (s *Server) identity(query func(string) string) (*Identity, *azhttp.Response) {
	s.Lock.Lock()
	identities := slices.Concat(s.Identities, s.attached)
	s.Lock.Unlock()
	client, object := query("client_id"), cmp.Or(query("object_id"), query("principal_id"))
	resource := cmp.Or(query("msi_res_id"), query("mi_res_id"))
	named := func(i Identity) bool {
		return client != "" && strings.EqualFold(i.ClientID, client) || object != "" && strings.EqualFold(i.ObjectID, object) ||
			resource != "" && strings.EqualFold(i.ResourceID, resource)
	}
	if client == "" && object == "" && resource == "" {
		named = func(i Identity) bool { return i.SystemAssigned || len(identities) == 1 }
	}
	if n := slices.IndexFunc(identities, named); n >= 0 {
		return &identities[n], nil
	}
	if client == "" && object == "" && resource == "" {
		return nil, identityError("Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request")
	}
	return nil, identityError("Identity not found")
}
