package arm

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// activityLimit bounds the memory of a simulator that runs for days; older writes go.
const activityLimit = 10_000

// activities are the writes so far, oldest first. The world's lock guards them.
type activities struct {
	seq    int
	writes []write
}

// write is a request that Azure's activity log tells of, which reads are not.
type write struct {
	seq                                   int
	at                                    time.Time
	action, method, resource, group       string
	caller, client, correlation, id, code string
	status                                int
	operation                             *world.Operation // that it began; nil: none
}

// add remembers a write that came to this response.
func (l *activities) add(c *call, a *response) {
	if c.route == nil || c.principal == "" || isRead(c.request.Method) || c.effect().Cut == fault.CutBefore {
		return
	}
	l.seq++
	resource := strings.TrimRight(c.request.URL.Path, "/")
	if c.request.Method == post {
		resource = resource[:strings.LastIndexByte(resource, '/')] // less the action
	}
	if len(l.writes) >= activityLimit {
		l.writes = slices.Delete(l.writes, 0, activityLimit/2)
	}
	l.writes = append(l.writes, write{
		seq: l.seq, at: c.front.now(), action: c.route.action, method: c.request.Method, resource: resource, group: c.param("group"),
		caller: c.principal, client: c.client, correlation: c.correlation, id: c.header.Get("x-ms-request-id"), code: a.Code,
		status: cmp.Or(a.Status, http.StatusOK), operation: c.begun,
	})
}

// occurrence is an entry of the log: the beginning of a write, its response, or the end of
// its operation.
type occurrence struct {
	*write
	part      int // 0 to 2
	at        time.Time
	name      string // of the event
	outcome   string // its status
	subStatus string
	failure   string // code of the error
}

// occurrences are all so far, the newest first.
func (l *activities) occurrences() []occurrence {
	var all []occurrence
	for n := range l.writes {
		w := &l.writes[n]
		status := strings.ReplaceAll(http.StatusText(w.status), " ", "")
		all = append(all, occurrence{w, 0, w.at, "BeginRequest", "Started", "", ""})
		response := occurrence{w, 1, w.at, "EndRequest", world.StateSucceeded, status, ""}
		switch {
		case w.status >= http.StatusBadRequest:
			response.outcome, response.failure = world.StateFailed, w.code
		case w.operation != nil:
			response.outcome = "Accepted"
		}
		all = append(all, response)
		if o := w.operation; o != nil && !o.Running() {
			end := occurrence{w, 2, o.Ended, "EndRequest", o.Status(), "", ""}
			if o.Failure != nil {
				end.failure = o.Failure.Code
			}
			all = append(all, end)
		}
	}
	slices.SortFunc(all, func(a, b occurrence) int { return strings.Compare(a.key(), b.key()) })
	return all
}

// key orders the newest before the others.
func (e occurrence) key() string {
	const last = 1<<63 - 1
	return fmt.Sprintf("%019d %012d %d", last-e.at.UnixNano(), last/1_000_000_000-e.seq, 2-e.part)
}

func (e occurrence) level() string {
	if e.outcome == world.StateFailed {
		return "Error"
	}
	return "Informational"
}

// kind is the resource's provider, and its type.
func (e occurrence) kind() (provider, kind string) {
	_, rest, ok := strings.Cut(e.resource, "/providers/")
	if !ok {
		return "Microsoft.Resources", "Microsoft.Resources/subscriptions/resourceGroups"
	}
	parts := strings.Split(rest, "/")
	kind = parts[0]
	for n := 1; n < len(parts); n += 2 {
		kind += "/" + parts[n]
	}
	return parts[0], kind
}

func valued(value string) object { return object{"value": value, "localizedValue": value} }

// body has the fields of Microsoft's page on the schema of the activity log.
func (e occurrence) body(c *Config) object {
	id := uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "%s %d", e.id, e.part)).String()
	provider, kind := e.kind()
	properties := object{"eventCategory": "Administrative", "entity": e.resource, "message": e.action}
	if e.subStatus != "" {
		properties["statusCode"] = e.subStatus
	}
	if e.failure != "" {
		properties["statusMessage"] = fmt.Sprintf(`{"error":{"code":%q}}`, e.failure)
	}
	return object{
		"authorization": object{"action": e.action, "scope": e.resource}, "caller": e.caller, "channels": "Operation",
		"claims":        object{"appid": e.client, "http://schemas.microsoft.com/identity/claims/objectidentifier": e.caller},
		"correlationId": e.correlation, "operationId": e.correlation, "description": "", "eventDataId": id,
		"eventName": valued(e.name), "category": valued("Administrative"), "level": e.level(),
		"httpRequest":       object{"clientRequestId": e.id, "clientIpAddress": "127.0.0.1", "method": e.method},
		"id":                fmt.Sprintf("%s/events/%s/ticks/%d", e.resource, id, e.at.UnixNano()/100+621355968000000000),
		"resourceGroupName": e.group, "resourceProviderName": valued(provider), "resourceId": e.resource, "resourceType": valued(kind),
		"operationName": valued(e.action), "properties": properties, "status": valued(e.outcome), "subStatus": valued(e.subStatus),
		"eventTimestamp": zulu(e.at), "submissionTimestamp": zulu(e.at), "subscriptionId": c.SubscriptionID, "tenantId": c.TenantID,
	}
}
