package armsim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// InstanceInfo is what the simulator knows of an instance, whatever Azure's
// API would tell of it now.
type InstanceInfo struct {
	Name              string `json:"name"`
	Mode              string `json:"mode,omitempty"` // Uniform or Flexible; empty: of no scale set
	ScaleSet          string `json:"scaleSet"`
	InstanceID        string `json:"instanceId"` // in requests to the scale set
	Priority          string `json:"priority,omitempty"`
	Zone              string `json:"zone,omitempty"`
	VMID              string `json:"vmId"`
	ProvisioningState string `json:"provisioningState"`
	PowerState        string `json:"powerState"`
	PrivateAddress    string `json:"privateAddress"` // the primary one
	PublicAddress     string `json:"publicAddress,omitempty"`
	Directory         string `json:"directory,omitempty"` // of its machine
}

// Instances tells of every instance there is, in no order.
func (s *Server) Instances() []InstanceInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	infos := []InstanceInfo{}
	for set := range s.scaleSets() {
		for _, i := range set.instances {
			infos = append(infos, i.info())
		}
	}
	return infos
}

func (i *instance) info() InstanceInfo {
	info := InstanceInfo{
		Name: i.name, ScaleSet: i.set.name, InstanceID: i.key(), VMID: i.vmID, Priority: i.priority(), Zone: i.zone,
		ProvisioningState: i.state, PowerState: i.power,
	}
	if !i.set.loose() {
		info.Mode = i.set.mode()
	}
	if i.private.IsValid() {
		info.PrivateAddress = i.private.String()
	}
	if i.public.IsValid() {
		info.PublicAddress = i.public.String()
	}
	if i.machine != nil {
		info.Directory = i.machine.Dir()
	}
	return info
}

// serveControl answers the control endpoint, which is no part of Azure:
//
//	GET  /stats
//	GET  /journal?after=SEQ
//	GET  /instances
//	POST /instances/NAME/VERB, as kill and evict
//	GET, POST, DELETE /faults
//	POST /events
//	GET  /clock
//	POST /clock?advance=10s
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.handlers.Done()
	if s.config.ControlToken != "" && r.Header.Get("Authorization") != "Bearer "+s.config.ControlToken {
		writeJSON(w, http.StatusUnauthorized, object{"error": "a bearer token is needed"})
		return
	}
	body, err := s.control(r.Method, strings.Trim(r.URL.Path, "/"), r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, object{"error": err.Error()})
		return
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, object{"error": err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(encoded) // a client that went away is its own affair
}

func (s *Server) control(method, path string, r *http.Request) (any, error) {
	if name, ok := strings.CutPrefix(path, "instances/"); ok && method == http.MethodPost {
		return s.controlInstance(name)
	}
	switch method + " " + path {
	case "GET stats":
		return s.Stats(), nil
	case "GET journal":
		after, _ := strconv.Atoi(r.URL.Query().Get("after")) // absent or unreadable: from the start
		return s.journalAfter(after), nil
	case "GET instances":
		return s.Instances(), nil
	case "GET clock":
		return s.clock(), nil
	case "POST clock":
		return s.advanceBy(r.URL.Query().Get("advance"))
	case "GET faults":
		return s.Faults(), nil
	case "POST faults":
		return added(r, s.AddFaults)
	case "DELETE faults":
		s.ClearFaults()
		return object{}, nil
	case "POST events":
		return added(r, s.AddEvents)
	}
	return nil, fmt.Errorf("control %s /%s: there is no such thing; known: /stats, /journal, /instances, /clock, /faults, /events", method, path)
}

func (s *Server) controlInstance(path string) (any, error) {
	target, verb, _ := strings.Cut(path, "/")
	switch verb {
	case "kill":
		return object{"killed": target}, s.Kill(target)
	case "evict":
		return object{"evicted": target}, s.Evict(target)
	case "deallocate":
		return object{"deallocated": target}, s.Deallocate(target)
	case "start":
		return object{"started": target}, s.PowerOn(target)
	case "delete":
		return object{"deleted": target}, s.Remove(target)
	}
	return nil, fmt.Errorf("control instance %q: unknown verb %q; known: kill, evict, deallocate, start, delete", target, verb)
}

// added reads one T or a list of them from the request's body, and adds them.
func added[T any](r *http.Request, add func(...T) error) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return nil, fmt.Errorf("control %s: %w", r.URL.Path, err)
	}
	all, err := oneOrMore[T](raw)
	if err != nil {
		return nil, fmt.Errorf("control %s: %w", r.URL.Path, err)
	}
	return object{"added": len(all)}, add(all...)
}

func (s *Server) journalAfter(seq int) []Entry {
	entries := []Entry{}
	for _, e := range s.Journal() {
		if e.Seq > seq {
			entries = append(entries, e)
		}
	}
	return entries
}

func (s *Server) clock() object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return object{"now": s.time.now().UTC().Format(time.RFC3339Nano), "virtual": s.config.Virtual, "scale": s.config.TimeScale}
}

func (s *Server) advanceBy(text string) (any, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || !s.config.Virtual {
		return nil, fmt.Errorf("advance clock by %q: a duration such as 10s is needed, and virtual time", text)
	}
	s.Advance(d)
	return s.clock(), nil
}
