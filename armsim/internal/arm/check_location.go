package arm

import (
	"net/http"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// canonicalLocation writes the location as Azure gives it back (recording 25), where there is
// one.
func canonicalLocation(body object) {
	if location := jsonmap.Text(body, "location"); location != "" {
		body["location"] = catalog.CanonicalLocation(location)
	}
}

// stays checks that a PUT leaves a resource where it is. A PATCH has no location: one that it
// has is heard without effect.
func (c *call) stays(name string, location any) *problem {
	is, _ := location.(string)
	wanted := catalog.CanonicalLocation(jsonmap.Text(c.body, "location"))
	if c.request.Method != http.MethodPut || wanted == "" || is == "" || wanted == catalog.CanonicalLocation(is) {
		return nil
	}
	return invalidResourceLocation(name, c.param("group"), is, wanted)
}
