package arm

import (
	"fmt"
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Standby pools are resources of a provider of their own, recording 26. What it refuses is
// documented on Microsoft's pages on standby pools; codes, status and words are believed.

const poolKind = "Microsoft.StandbyPool/standbyVirtualMachinePools"

// poolCall is a request to the provider of standby pools.
type poolCall struct{ *call }

func ofPools(handle func(poolCall) (*response, *problem)) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) { return handle(poolCall{c}) }
}

// find finds the pool of the path.
func (c poolCall) find() (*world.Group, *world.StandbyPool, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, nil, p
	}
	pool := g.Pool(c.param("pool"))
	if pool == nil {
		return g, nil, resourceNotFound(poolKind+"/"+c.param("pool"), c.param("group"))
	}
	return g, pool, nil
}

func getPool(c poolCall) (*response, *problem) {
	_, pool, p := c.find()
	if p != nil {
		return nil, p
	}
	return c.shown(pool), nil
}

func (c poolCall) shown(pool *world.StandbyPool) *response {
	return &response{Status: http.StatusOK, Body: c.render.pool(pool), Header: http.Header{"Etag": {pool.ETag()}}}
}

func listPools(c poolCall) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.poolsIn(g))
}

func listAllPools(c poolCall) (*response, *problem) {
	return c.listNamed(ofEachGroup(c.call, func(g *world.Group) []named { return inGroup(g, c.poolsIn(g)) }))
}

// poolsIn are the pools of a group.
func (c poolCall) poolsIn(g *world.Group) []named {
	var list []named
	for _, pool := range g.Pools() {
		list = append(list, named{pool.Name, func() object { return c.render.pool(pool) }})
	}
	return list
}

// putPool writes a pool, and answers as if all were done.
func putPool(c poolCall) (*response, *problem) {
	g, pool, _ := c.find()
	if g == nil {
		return nil, groupNotFound(c.param("group"))
	}
	if g.Deleting != nil {
		return nil, groupBeingDeleted(g.Name)
	}
	o := poolOrder{call: c, location: jsonmap.Text(c.body, "location")}
	if o.location == "" {
		return nil, locationRequired()
	}
	return o.write(g, pool)
}

// patchPool changes a pool.
func patchPool(c poolCall) (*response, *problem) {
	g, pool, p := c.find()
	if p != nil {
		return nil, p
	}
	return (&poolOrder{call: c, location: pool.Location}).write(g, pool)
}

func deletePool(c poolCall) (*response, *problem) {
	g, pool, p := c.find()
	if p != nil {
		if g != nil {
			return &response{Status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	return c.working(g.DeletePool(pool)), nil
}

// working is the response of a deletion, and of its status until it is done.
func (c poolCall) working(o *world.Operation) *response {
	url := fmt.Sprintf("https://%s/subscriptions/%s/providers/Microsoft.StandbyPool/locations/%s/operationStatuses/%s?api-version=%s",
		c.operationLinks.host, c.operationLinks.subscription, strings.ToUpper(c.operationLinks.location), o.ID, c.operationLinks.apiVersion)
	return &response{Status: http.StatusAccepted, Header: http.Header{
		"Azure-Asyncoperation": {url}, "Location": {url}, "Etag": {poolOperationETag(o)}, "Content-Type": {azhttp.ContentTypeJSON},
	}}
}

func poolOperationETag(o *world.Operation) string { return fmt.Sprintf("%q", o.ID+o.Status()) }

func getPoolOperation(c poolCall) (*response, *problem) {
	o := c.world.Operations.Find(c.param("operation"))
	if o == nil {
		return nil, operationNotFound(c.param("operation"))
	}
	body := object{"id": c.request.URL.Path, "name": o.ID, "resourceId": o.Resource, "status": o.Status(), "startTime": zulu(o.Started)}
	if o.Running() {
		body["status"] = "Deleting"
		a := c.working(o)
		a.Body = body
		return a, nil
	}
	body["endTime"], body["properties"] = zulu(o.Ended), nil
	if o.Failure != nil {
		body["error"] = azhttp.ErrorObject(o.Failure.Code, o.Failure.Message)
	}
	return &response{Status: http.StatusOK, Body: body, Header: http.Header{"Etag": {poolOperationETag(o)}}}, nil
}

// getPoolView is how many virtual machines the pool has in each state.
func getPoolView(c poolCall) (*response, *problem) {
	_, pool, p := c.find()
	if p != nil {
		return nil, p
	}
	if !strings.EqualFold(c.param("runtimeView"), "latest") {
		return nil, resourceNotFound(poolKind+"/"+pool.Name+"/runtimeViews/"+c.param("runtimeView"), c.param("group"))
	}
	return &response{Status: http.StatusOK, Body: c.render.poolView(pool, c.apiVersion)}, nil
}

func listPoolMembers(c poolCall) (*response, *problem) {
	_, pool, p := c.find()
	if p != nil {
		return nil, p
	}
	list := []named{}
	for _, i := range pool.Members() {
		list = append(list, named{i.Name, func() object {
			return object{
				"id": c.render.odd(pool.ID + "/standbyVirtualMachines/" + i.Name), "name": i.Name, "type": poolKind + "/standbyVirtualMachines",
				"properties": object{"virtualMachineResourceId": c.render.odd(i.ID), "provisioningState": world.StateSucceeded},
			}
		}})
	}
	return c.listNamed(list)
}
