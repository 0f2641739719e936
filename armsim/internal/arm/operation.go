package arm

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// operationLinks makes the URLs at which clients poll an operation.
type operationLinks struct {
	host         string
	subscription string
	location     string // in lower case
	apiVersion   string // of the request

	begun *world.Operation // that the request began; nil: none
}

// accepted is the response that starts an operation. The scale set's PUT and
// PATCH carry Azure-AsyncOperation alone; POST and DELETE carry Location too
// (recordings 01, 02, 15). The URLs are absolute, as clients demand.
func (l *operationLinks) accepted(o *world.Operation, status int, body object) *response {
	l.begun = o
	header := http.Header{
		"Azure-Asyncoperation":    {l.operationURL(o, "")},
		"Azure-Asyncnotification": {"Enabled"},
	}
	if body == nil {
		header.Set("Location", l.operationURL(o, "&monitor=true"))
	}
	return &response{Status: status, Header: header, Body: body}
}

// noise stands for the signatures in Azure's URLs, which are long.
var noise = strings.Repeat("x", 600)

func (l *operationLinks) operationURL(o *world.Operation, more string) string {
	return fmt.Sprintf("https://%s/subscriptions/%s/providers/Microsoft.Compute/locations/%s/operations/%s?p=%s%s&api-version=%s&t=%d&c=%s&s=%s&h=h",
		l.host, l.subscription, l.location, o.ID, uuid.NewSHA1(uuid.Nil, []byte(o.ID)), more, l.apiVersion, o.Started.UnixNano(), noise, noise)
}

// getOperation serves both forms of polling: the status body, and with
// monitor=true 202 while it runs, then 200 and nothing.
func getOperation(c *call) (*response, *problem) {
	o := c.world.Operations.Find(c.param("operation"))
	if o == nil {
		return nil, operationNotFound(c.param("operation"))
	}
	if c.query.get("monitor") == "" {
		return &response{Status: http.StatusOK, Body: operationBody(o)}, nil
	}
	switch {
	case o.Running():
		return &response{Status: http.StatusAccepted, Header: http.Header{
			"Location": {c.operationURL(o, "&monitor=true")}}}, nil
	case o.Failure != nil:
		return nil, conflict(o.Failure)
	}
	a := &response{Status: http.StatusOK}
	if o.Output != nil {
		a.Body = scriptOutput(o.Output)
	}
	return a, nil
}

func operationBody(o *world.Operation) object {
	b := object{"startTime": stamp(o.Started), "status": o.Status(), "name": o.ID}
	if !o.Running() {
		b["endTime"] = stamp(o.Ended)
	}
	if o.Failure != nil {
		b["error"] = azhttp.ErrorObject(o.Failure.Code, o.Failure.Message)
	}
	if o.Output != nil {
		b["properties"] = object{"output": scriptOutput(o.Output)}
	}
	return b
}

// stamp writes a time as Compute does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000+00:00") }

// zulu writes a time as Resource Manager and other providers do, which end it with Z.
func zulu(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// acceptedByNetwork is accepted in the Network provider's manner.
func (l *operationLinks) acceptedByNetwork(o *world.Operation, status int) *response {
	l.begun = o
	url := func(kind string) string {
		return fmt.Sprintf("https://%s/subscriptions/%s/providers/Microsoft.Network/locations/%s/%s/%s?api-version=%s",
			l.host, l.subscription, l.location, kind, o.ID, l.apiVersion)
	}
	return &response{Status: status, Header: http.Header{
		"Azure-Asyncoperation": {url("operations")}, "Azure-Asyncnotification": {"Enabled"}, "Location": {url("operationResults")},
	}}
}

func getNetworkOperation(c *call) (*response, *problem) {
	o := c.world.Operations.Find(c.param("operation"))
	if o == nil {
		return nil, operationNotFound(c.param("operation"))
	}
	body := object{"status": o.Status()}
	if o.Failure != nil {
		body["error"] = azhttp.ErrorObject(o.Failure.Code, o.Failure.Message)
	}
	return &response{Status: http.StatusOK, Body: body}, nil
}

func getNetworkResult(c *call) (*response, *problem) {
	o := c.world.Operations.Find(c.param("operation"))
	switch {
	case o == nil:
		return nil, operationNotFound(c.param("operation"))
	case o.Running():
		return c.acceptedByNetwork(o, http.StatusAccepted), nil
	case o.Failure != nil:
		return nil, byNetwork(conflict(o.Failure)) // the status is believed
	}
	ended := c.acceptedByNetwork(o, http.StatusNoContent) // with the headers that it began with (recording 29)
	ended.Header.Set("Content-Type", azhttp.ContentTypeJSON)
	return ended, nil
}
