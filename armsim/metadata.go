package armsim

import "net/http"

// metadataServer is the instance metadata service at an address of its own, and
// a proxy for the address that it has on Azure.
type metadataServer struct{ *Server }

func (s metadataServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.lifecycle.beginRequest()()
	if !r.URL.IsAbs() {
		r.Host = "169.254.169.254"
	}
	if !s.entra.ServeIdentity(w, r) {
		http.Error(w, "armsim is a proxy for the instance metadata service alone", http.StatusBadGateway)
	}
}
