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

// Serve responds to what is not Resource Manager's: the token endpoints, the
// discovery of them and the cloud's metadata. It reports whether the path is one
// of these.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) bool {
	path := strings.Trim(r.URL.Path, "/")
	tenant, rest, _ := strings.Cut(path, "/")
	switch strings.ToLower(rest) {
	case ".well-known/openid-configuration", "v2.0/.well-known/openid-configuration":
		s.tenantOnly(w, tenant, s.openID(tenant))
	case "discovery/v2.0/keys", "discovery/keys":
		azhttp.WriteJSON(w, http.StatusOK, s.Issuer.keys())
	case "discovery/instance":
		azhttp.WriteJSON(w, http.StatusOK, s.instance())
	case "oauth2/v2.0/token":
		s.serveToken(w, r, tenant, versionTwo)
	case "oauth2/token":
		s.serveToken(w, r, tenant, versionOne)
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

// anyTenant are names that stand for the client's own tenant. adfs is that of an
// AD FS server: Microsoft's libraries do not ask Microsoft whether they may
// trust such an authority (see docs/reference/armsim-clients.md).
var anyTenant = []string{"common", "organizations", "adfs"}

func (s *Server) checkTenant(tenant string) *oauthError {
	if strings.EqualFold(tenant, s.Issuer.tenant) || slices.Contains(anyTenant, strings.ToLower(tenant)) {
		return nil
	}
	return tenantNotFound(tenant)
}

// serveToken is the client-credentials grant.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request, tenant string, v version) {
	body, e := s.token(r, tenant, v)
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
