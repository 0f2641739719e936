package armsim

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// operation is a long-running operation. It outlives its resource.
type operation struct {
	id      string
	name    string
	started time.Time
	ended   time.Time // zero while it runs
	failure *problem
	set     *scaleSet // nil: the operation is on something else
	doom    *Failure  // a fault: it ends so, whatever comes of it
	absent  int       // instances that a fault will have made absent
	unmet   *problem  // what a part of it failed with
}

func (o *operation) running() bool { return o.ended.IsZero() }

// begin starts an operation. A scale set is Updating until it ends.
func (s *Server) begin(set *scaleSet, name string) *operation {
	o := &operation{id: uuid.NewString(), name: name, started: s.time.now(), set: set, doom: s.doom}
	s.doom = nil // a request starts one operation; those that follow from it are others
	s.operations[o.id] = o
	if set == nil {
		return o
	}
	set.busy++
	if set.state != stateCreating && set.state != stateDeleting {
		set.state = stateUpdating
	}
	return o
}

// end ends an operation, once.
func (s *Server) end(o *operation, failure *problem) {
	if o == nil || !o.running() {
		return
	}
	if o.doom != nil && failure == nil {
		failure = o.doom.problem()
	}
	o.ended, o.failure = s.time.now(), failure
	if o.set == nil {
		return
	}
	o.set.busy--
	if o.set.busy == 0 && o.set.state != stateDeleting {
		o.set.state = stateSucceeded
		if failure != nil && failure.code != "OperationPreempted" {
			o.set.state = stateFailed
		}
	}
}

func (o *operation) status() string {
	switch {
	case o.running():
		return "InProgress"
	case o.failure != nil:
		return "Failed"
	}
	return "Succeeded"
}

func (o *operation) body() object {
	b := object{"startTime": stamp(o.started), "status": o.status(), "name": o.id}
	if !o.running() {
		b["endTime"] = stamp(o.ended)
	}
	if o.failure != nil {
		b["error"] = o.failure.object()
	}
	return b
}

// accepted is the answer that starts an operation. The scale set's PUT and
// PATCH carry Azure-AsyncOperation alone; POST and DELETE carry Location too
// (recordings 01, 02, 15). The URLs are absolute, as clients demand.
func (c *call) accepted(o *operation, status int, body object) *answer {
	url := c.operationURL(o, "")
	header := http.Header{
		"Azure-Asyncoperation":    {url},
		"Azure-Asyncnotification": {"Enabled"},
	}
	if body == nil {
		header.Set("Location", c.operationURL(o, "&monitor=true"))
	}
	return &answer{status: status, header: header, body: body}
}

// operationURL is long and signed, as Azure's are; the signature is noise.
func (c *call) operationURL(o *operation, more string) string {
	noise := strings.Repeat("x", 600)
	return fmt.Sprintf("https://%s/subscriptions/%s/providers/Microsoft.Compute/locations/%s/operations/%s?p=%s%s&api-version=%s&t=%d&c=%s&s=%s&h=h",
		c.request.Host, c.server.config.SubscriptionID, strings.ToLower(c.server.config.Location), o.id,
		uuid.NewSHA1(uuid.Nil, []byte(o.id)), more, c.apiVersion, o.started.UnixNano(), noise, noise)
}

// getOperation answers both poll forms: the status body, and with monitor=true
// 202 while it runs, then 200 and nothing.
func getOperation(c *call) (*answer, *problem) {
	o, ok := c.server.operations[strings.ToLower(c.param("operation"))]
	if !ok {
		return nil, operationNotFound(c.param("operation"))
	}
	if c.query("monitor") == "" {
		return &answer{status: http.StatusOK, body: o.body()}, nil
	}
	switch {
	case o.running():
		return &answer{status: http.StatusAccepted, header: http.Header{
			"Location": {c.operationURL(o, "&monitor=true")}}}, nil
	case o.failure != nil:
		return nil, o.failure
	}
	return &answer{status: http.StatusOK}, nil
}

// stamp writes a time as Compute does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000+00:00") }
