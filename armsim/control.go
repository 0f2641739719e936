package armsim

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
)

// controlServer is the control endpoint, which is no part of Azure:
//
//	GET  /stats
//	GET  /journal?after=SEQ
//	GET  /instances
//	POST /instances/NAME/VERB, as kill and evict
//	POST /scale-sets/NAME/standby?power=deallocated
//	GET, POST, DELETE /faults
//	POST /events
//	GET, POST /catalog
//	GET, POST /stock
//	GET  /clock
//	POST /clock?advance=10s
//	POST /limits?taken=0.5
//	POST /attach?identity=ID
type controlServer struct{ *Server }

func (s controlServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.lifecycle.beginRequest()()
	if s.config.ControlToken != "" && r.Header.Get("Authorization") != "Bearer "+s.config.ControlToken {
		azhttp.WriteJSON(w, http.StatusUnauthorized, object{"error": "a bearer token is needed"})
		return
	}
	body, err := s.respond(r.Method, strings.Trim(r.URL.Path, "/"), r)
	if err != nil {
		azhttp.WriteJSON(w, http.StatusBadRequest, object{"error": err.Error()})
		return
	}
	azhttp.WriteJSON(w, http.StatusOK, body)
}

func (s controlServer) respond(method, path string, r *http.Request) (any, error) {
	if name, ok := strings.CutPrefix(path, "instances/"); ok && method == http.MethodPost {
		return s.toInstance(name)
	}
	if name, ok := strings.CutPrefix(path, "scale-sets/"); ok && method == http.MethodPost {
		return s.toScaleSet(name, r.URL.Query().Get("power"))
	}
	if body, known, err := s.respondOnOffer(method+" "+path, r); known {
		return body, err
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
		return s.time(), nil
	case "POST clock":
		return s.advanceBy(r.URL.Query().Get("advance"))
	case "POST limits":
		return s.shareLimits(r.URL.Query().Get("taken"))
	case "POST attach":
		id := r.URL.Query().Get("identity")
		return object{"attached": id}, s.AttachIdentity(id)
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
	return nil, fmt.Errorf("control %s /%s: there is no such thing; known: /stats, /journal, /instances, /scale-sets, /clock, /limits, /attach, /faults, /events, /catalog, /stock", method, path)
}

// respondOnOffer is about what Azure offers: the catalogue and the stock.
func (s controlServer) respondOnOffer(target string, r *http.Request) (body any, known bool, err error) {
	switch target {
	case "GET catalog":
		return s.Catalog(), true, nil
	case "POST catalog":
		body, err = s.changeCatalog(r.Body)
		return body, true, err
	case "GET stock":
		return s.Stock(), true, nil
	case "POST stock":
		body, err = added(r, s.SetStock)
		return body, true, err
	}
	return nil, false, nil
}

func (s controlServer) toInstance(path string) (any, error) {
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

func (s controlServer) toScaleSet(path, power string) (any, error) {
	target, verb, _ := strings.Cut(path, "/")
	if verb != "standby" {
		return nil, fmt.Errorf("control scale set %q: unknown verb %q; known: standby", target, verb)
	}
	if power != "" && power != "running" && power != "deallocated" {
		return nil, fmt.Errorf("control scale set %q: power %q: it must be running or deallocated", target, power)
	}
	name, err := s.AddStandbyVM(target, power == "running")
	return object{"added": name}, err
}

// added reads one T or a list of them from the request's body, and adds them.
func added[T any](r *http.Request, add func(...T) error) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return nil, fmt.Errorf("control %s: %w", r.URL.Path, err)
	}
	all, err := fault.OneOrMore[T](raw)
	if err != nil {
		return nil, fmt.Errorf("control %s: %w", r.URL.Path, err)
	}
	return object{"added": len(all)}, add(all...)
}

func (s controlServer) journalAfter(seq int) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Entry{}, s.journal.After(seq)...) // never null
}

func (s controlServer) time() object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return object{"now": s.clock.Now().UTC().Format(time.RFC3339Nano), "virtual": s.config.Virtual, "scale": s.config.TimeScale}
}

func (s controlServer) advanceBy(text string) (any, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || !s.config.Virtual {
		return nil, fmt.Errorf("advance clock by %q: a duration such as 10s is needed, and virtual time", text)
	}
	s.Advance(d)
	return s.time(), nil
}

func (s controlServer) changeCatalog(body io.Reader) (any, error) {
	changes, err := ReadCatalog(body)
	if err != nil {
		return nil, err
	}
	return object{}, s.ChangeCatalog(changes)
}

func (s controlServer) shareLimits(text string) (any, error) {
	taken, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("share request limits: taken %q: a number is needed", text)
	}
	return object{"taken": taken}, s.ShareLimits(taken)
}
