package armerr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// object is what an error is about, as far as that decides on the fix.
type object int

const (
	unknownObject object = iota // Azure does not name it: most likely the scale set
	scaleSet                    // the scale set, its instances, or a scope above it
	subnet
	networkPart // what else of a network the model links to
	image       // a managed image
	gallery     // an image in a gallery
	encryption  // a disk encryption set, or a key vault
	assignedIdentity
	placement // a placement, host or reservation group
)

// linked are the objects that the model of a scale set links to.
var linked = []object{subnet, networkPart, image, gallery, encryption, assignedIdentity, placement}

// objectTypes finds an object by a part of a resource type in lower case. The first
// match counts: what belongs to the scale set is the scale set.
var objectTypes = []struct {
	part, noun string
	object     object
}{
	{"virtualmachinescalesets", "scale set", scaleSet},
	{"microsoft.compute/virtualmachines", "virtual machine", scaleSet},
	{"subnets", "subnet", subnet},
	{"virtualnetworks", "virtual network", subnet},
	{"networksecuritygroups", "network security group", networkPart},
	{"applicationsecuritygroups", "application security group", networkPart},
	{"loadbalancers", "load balancer", networkPart},
	{"applicationgateways", "application gateway", networkPart},
	{"publicipprefixes", "public IP prefix", networkPart},
	{"natgateways", "NAT gateway", networkPart},
	{"galleries", "gallery image", gallery}, // communityGalleries and sharedGalleries, too
	{"microsoft.compute/images", "image", image},
	{"diskencryptionsets", "disk encryption set", encryption},
	{"microsoft.keyvault", "key vault", encryption},
	{"userassignedidentities", "managed identity", assignedIdentity},
	{"proximityplacementgroups", "proximity placement group", placement},
	{"capacityreservationgroups", "capacity reservation group", placement},
	{"hostgroups", "host group", placement},
}

// subject is the object of an error and, where Azure gives it, its resource ID.
type subject struct {
	object object
	noun   string
	id     string
}

// String describes the subject for a fix. The message has the whole ID.
func (s subject) String() string {
	name := s.id[strings.LastIndex(s.id, "/")+1:]
	if s.object == gallery {
		name = s.id // the names of the gallery and the definition are in its middle
	}
	if name == "" {
		return "the " + s.noun
	}
	text := fmt.Sprintf("the %s %q", s.noun, name)
	if g := groupPattern.FindStringSubmatch(s.id); g != nil && s.object != gallery {
		text += fmt.Sprintf(" of resource group %q", g[1])
	}
	return text
}

var (
	idPattern     = regexp.MustCompile(`(?i)/(?:subscriptions|sharedgalleries|communitygalleries)/[^/\s'",;]+(?:/[^/\s'",;]+)*`)
	groupPattern  = regexp.MustCompile(`(?i)/resourcegroups/([^/]+)/`)
	actionPattern = regexp.MustCompile(`action\(?s?\)? '?"?([A-Za-z0-9]+\.[A-Za-z0-9]+/[A-Za-z0-9/]+)`)

	// As in "The Resource 'Microsoft.Compute/images/x' under resource group …".
	typedName = regexp.MustCompile(`'(Microsoft\.[A-Za-z]+/[^']+)'`)

	// scopeMarkers precede the scopes that are in the way. Before them Azure names
	// the scale set, for which all is well.
	scopeMarkers = []string{"linked scope(s)", "scope(s) are locked", "over scope"}
)

// subjectOf finds out what an error is about: by a resource ID in Azure's messages,
// else by an action or a type that they name.
func subjectOf(messages string) subject {
	marked := false
	for _, marker := range scopeMarkers {
		if _, after, ok := strings.Cut(messages, marker); ok {
			messages, marked = after, true
		}
	}
	ids := idPattern.FindAllString(messages, -1)
	for n := range ids {
		ids[n] = strings.TrimRight(ids[n], ".):")
	}
	if marked && len(ids) > 0 {
		return named(typeOf(ids[0]), ids[0])
	}
	for _, id := range ids {
		if s := typeOf(id); slices.Contains(linked, s.object) {
			return named(s, id)
		}
	}
	for _, pattern := range []*regexp.Regexp{actionPattern, typedName} {
		if all := pattern.FindAllStringSubmatch(messages, -1); len(all) > 0 {
			return typeOf(all[len(all)-1][1])
		}
	}
	return subject{noun: "resource"}
}

func named(s subject, id string) subject {
	s.id = id
	return s
}

// typeOf returns the object of a resource ID, a resource type or an action. A
// resource group or a subscription is a scope above the scale set.
func typeOf(s string) subject {
	s = strings.ToLower(s)
	if at := strings.LastIndex(s, "/providers/"); at >= 0 {
		s = s[at:]
	} else if strings.HasPrefix(s, "/subscriptions/") {
		if strings.Contains(s, "/resourcegroups/") {
			return subject{object: scaleSet, noun: "resource group"}
		}
		return subject{object: scaleSet, noun: "subscription"}
	}
	for _, t := range objectTypes {
		if strings.Contains(s, t.part) {
			return subject{object: t.object, noun: t.noun}
		}
	}
	return subject{noun: "resource"}
}
