package recordings

import (
	"fmt"
	"slices"
	"strings"
)

// What follows these segments of a path is a name.
var named = map[string]string{
	"subscriptions": "subscription", "resourcegroups": "group", "locations": "location", "operations": "operation",
	"virtualmachinescalesets": "scaleSet", "virtualmachines": "instance", "extensions": "extension",
	"networksecuritygroups": "securityGroup", "virtualnetworks": "virtualNetwork", "subnets": "subnet", "natgateways": "natGateway",
	"userassignedidentities": "identity", "roledefinitions": "role", "roleassignments": "assignment", "locks": "lock",
	"operationresults": "operation", "networkinterfaces": "interface", "ipconfigurations": "config", "publicipaddresses": "publicAddress",
	"capsoperations": "operation", "galleries": "gallery", "communitygalleries": "gallery", "sharedgalleries": "gallery", "images": "image",
	"publishers": "publisher", "offers": "offer", "skus": "sku", "plans": "plan", "versions": "version", "sshpublickeys": "sshPublicKey",
	"standbyvirtualmachinepools": "pool", "operationstatuses": "operation", "deployments": "deployment",
}

// public are names that are Azure's and its Marketplace's, not a recording's.
var public = []string{"location", "publisher", "offer", "sku", "plan", "version"}

// namer gives each name of a recording a placeholder: the first of a kind
// "{group}", the next "{group:2}".
type namer map[string][]string

func (n namer) placeholder(kind, name string) string {
	name = strings.ToLower(name)
	if kind == "instance" && strings.Trim(name, "0123456789") != "" {
		return "{instance:malformed}"
	}
	for i, known := range n[kind] {
		if known == name {
			return number(kind, i)
		}
	}
	n[kind] = append(n[kind], name)
	return number(kind, len(n[kind])-1)
}

func number(kind string, i int) string {
	if i == 0 {
		return "{" + kind + "}"
	}
	return fmt.Sprintf("{%s:%d}", kind, i+1)
}

// template replaces the names of a path; all else keeps its recorded case.
func (n namer) template(path string) string {
	var parts []string
	eachSegment(path, func(segment, kind string) {
		if kind != "" {
			segment = n.placeholder(kind, segment)
		}
		parts = append(parts, segment)
	})
	return "/" + strings.Join(parts, "/")
}

// eachSegment visits the segments of a path; kind is what a name is of, empty for what is no name.
func eachSegment(path string, visit func(segment, kind string)) {
	next, inSet := "", false
	for _, segment := range strings.Split(strings.Trim(path, "/"), "/") {
		visit(segment, next)
		lower := strings.ToLower(segment)
		switch {
		case next != "":
			next = ""
		case lower == "virtualmachines" && !inSet:
			next = "machine" // of the group
		default:
			next, inSet = named[lower], inSet || lower == "virtualmachinescalesets"
		}
	}
}

func operationID(path string) string {
	found := ""
	eachSegment(path, func(segment, kind string) {
		if kind == "operation" {
			found = segment
		}
	})
	return strings.ToLower(found)
}

// simulated are the types of resources that the simulator knows.
var simulated = []string{
	"/providers/microsoft.compute/virtualmachinescalesets/", "/providers/microsoft.compute/virtualmachines/",
	"/providers/microsoft.network/networkinterfaces/",
	"/providers/microsoft.compute/skus/", "/usages/", "/artifacttypes/vmimage/", "/providers/microsoft.marketplaceordering/",
	"/providers/microsoft.compute/galleries/", "/communitygalleries/", "/sharedgalleries/", "/providers/microsoft.compute/sshpublickeys/",
	"/providers/microsoft.standbypool/standbyvirtualmachinepools/", "/providers/microsoft.resources/deployments/",
}

// ofScaleSets reports whether a path is about scale sets, about machines and
// interfaces such as they own, about what they are made of, or about deployments.
func ofScaleSets(path string) bool {
	path = strings.ToLower(path) + "/"
	return strings.HasSuffix(path, "/publishers/") || slices.ContainsFunc(simulated, func(kind string) bool { return strings.Contains(path, kind) })
}
