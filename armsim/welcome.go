package armsim

import (
	_ "embed"
	"net/http"
	"strings"
	"text/template"
)

//go:embed welcome.txt
var welcomeText string

var welcomePage = template.Must(template.New("welcome").Parse(welcomeText))

// serveWelcome responds to a look at the endpoint's root: how each tool finds the
// simulator. It reports whether the request is one.
func (s *Server) serveWelcome(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/" || r.Method != http.MethodGet {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_ = welcomePage.Execute(w, map[string]string{ // a client that went away is its own affair
		"Endpoint": s.Endpoint, "Host": strings.TrimPrefix(s.Endpoint, "https://"), "Audience": s.Audience, "CAFile": s.CAFile,
		"TenantID": s.config.TenantID, "SubscriptionID": s.config.SubscriptionID, "ClientID": s.Principal.ClientID,
	})
	return true
}
