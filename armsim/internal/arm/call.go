package arm

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/template"
)

// call is one request on its way through the simulator; the lock is held while
// its handler runs.
type call struct {
	lookup
	pager
	operationLinks
	front       *Front
	render      *renderer
	route       *route
	body        object
	client      string
	principal   string // its object ID
	correlation string
	header      http.Header    // of the response
	fault       *fault.Rule    // that applies, if any
	unreadable  bool           // the client may not read what is listed
	deploying   *template.Plan // of the deployment that asks whether it can be; nil: this is no such question
}

func (f *Front) now() time.Time { return f.config.World.Clock.Now() }

// subject is what a rule may match of the request.
func (c *call) subject(body []byte) fault.Subject {
	sub := fault.Subject{Operation: c.route.operation, Method: c.request.Method, Capacity: capacityOf(body)}
	for _, param := range []string{"publicAddress", "interface", "machine", "instance", "scaleSet", "setting", "operation",
		"natRule", "loadBalancer", "deployment", "subnet", "virtualNetwork", "securityGroup", "natGateway", "identity", "role", "assignment", "definition", "lock", "namespace",
		"sshPublicKey", "disk", "pool", "version", "image", "gallery", "plan", "sku", "offer", "publisher", "group", "subscription"} {
		name := c.param(param)
		if name == "" {
			continue
		}
		sub.Objects = []string{name}
		if param == "instance" {
			sub.Objects = append(sub.Objects, c.param("scaleSet")+"_"+name) // a Uniform set's instance goes by ID
		}
		return sub
	}
	return sub
}

// capacityOf is the capacity that a request's body asks for; 0: none that could
// be read, as in a request of another kind.
func capacityOf(body []byte) int {
	var model object
	_ = json.Unmarshal(body, &model) // the request's own handling tells what is wrong with it
	capacity, _ := jsonmap.At(model, "sku.capacity").(float64)
	return int(capacity)
}

// respond is the response that Azure would give.
func (c *call) respond(body []byte, err error) (*response, *problem) {
	if c.route == nil {
		return nil, notSimulated(c.request.Method, c.request.URL.Path)
	}
	if p := c.admit(); p != nil {
		return nil, p
	}
	if p := c.spendOnARM(); p != nil {
		return nil, p
	}
	if p := c.checkVersion(); p != nil {
		return nil, p
	}
	if p := c.decode(body, err); p != nil {
		return nil, p
	}
	return c.serve()
}

// serve is the response to a request that is read and that the caller may send.
func (c *call) serve() (*response, *problem) {
	if p := (gatekeeper{c}).check(); p != nil {
		return nil, p
	}
	if p := c.spend(); p != nil {
		return nil, p
	}
	a, p := c.route.handle(c)
	if p == nil {
		p = c.viewList(a)
	}
	if p == nil && c.unreadable {
		a.Body = object{"value": []any{}}
	}
	if p == nil && !c.hasETags() {
		withoutETags(a)
	}
	return a, p
}

// admit checks token, subscription and rights, in ARM's order.
func (c *call) admit() *problem {
	client, p := c.front.config.Issuer.VerifyLocked(c.request.Header.Get("Authorization"))
	if p != nil {
		return p
	}
	c.client, c.principal = client.ClientID, client.Object()
	if sub := c.param("subscription"); sub != "" && !strings.EqualFold(sub, c.front.config.SubscriptionID) {
		return subscriptionNotFound(sub)
	}
	c.unreadable = !gatekeeper{c}.permitted()
	if c.unreadable && !c.listsEmpty() {
		return authorizationFailed(c.client, c.principal, c.route.action, c.request.URL.Path)
	}
	return nil
}

func (c *call) decode(body []byte, err error) *problem {
	if err != nil {
		return invalidRequestContent(err)
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil
	}
	err = json.Unmarshal(body, &c.body)
	if err != nil && strings.HasPrefix(c.route.operation, "Deployments_") {
		err = json.Unmarshal(template.Relaxed(body), &c.body)
	}
	if err != nil {
		return invalidRequestContent(err)
	}
	if c.body == nil {
		return invalidRequestContent(errors.New("an object is expected"))
	}
	dropNulls(c.body)
	return nil
}

// listsEmpty reports whether the request is for a list that is empty, not
// refused, where the client may not read its entries.
func (c *call) listsEmpty() bool {
	return c.world.Unknowns().UnreadableListsEmpty && slices.Contains([]string{"VirtualMachineScaleSetVMs_List", "VirtualMachines_List"}, c.route.operation)
}

// precondition checks If-Match and If-None-Match against an ETag; empty means
// that there is nothing yet.
func (c *call) precondition(etag string) *problem {
	if !c.hasETags() {
		return nil
	}
	want := c.request.Header.Get("If-Match")
	if want != "" && want != etag && (want != "*" || etag == "") {
		return preconditionFailed(want, etag)
	}
	if none := c.request.Header.Get("If-None-Match"); none != "" && etag != "" && (none == "*" || none == etag) {
		return preconditionFailed(none, etag)
	}
	return nil
}

func (c *call) expandsView() bool { return strings.EqualFold(c.query.get("$expand"), "instanceView") }

func (c *call) record(a *response) {
	e := azhttp.Entry{
		Time: c.front.now(), Operation: "NotSimulated", Method: c.request.Method, Path: c.request.URL.Path,
		APIVersion: c.apiVersion, IfMatch: c.request.Header.Get("If-Match"), Status: a.Status,
		Code: a.Code, RequestID: c.header.Get("x-ms-request-id"), ClientID: c.client, Cut: c.effect().Cut,
	}
	if c.route != nil {
		e.Operation = c.route.operation
	}
	if c.body != nil {
		e.Body = withoutSecrets(c.body)
	}
	if strings.HasSuffix(e.Operation, "_RunCommand") {
		e.Body = object{"commandId": c.body["commandId"]} // scripts hold whatever their authors put there
	}
	if c.fault != nil {
		e.Fault = c.fault.Name
	}
	if a.Status == http.StatusNotImplemented {
		c.front.config.Journal.AddNotSimulated(c.request.Method + " " + c.request.URL.Path)
	}
	c.front.config.Journal.Add(e)
	c.front.activities.add(c, a)
}

// withoutSecrets copies a request's body less what must not be shown.
func withoutSecrets(body object) object {
	copied := jsonmap.CloneObject(body)
	dropSecrets(copied)
	dropSecureParameters(copied)
	return copied
}
