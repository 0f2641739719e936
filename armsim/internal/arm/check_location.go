package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// canonical is a location as Azure gives it back, which is without spaces and in lower case
// (recording 25).
func canonical(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}

// canonicalLocation writes the location so, where there is one.
func canonicalLocation(body object) {
	if location := jsonmap.Text(body, "location"); location != "" {
		body["location"] = canonical(location)
	}
}

// stays checks that a PUT leaves a resource where it is. A PATCH has no location: one that it
// has is heard without effect.
func (c *call) stays(name string, location any) *problem {
	is, _ := location.(string)
	wanted := canonical(jsonmap.Text(c.body, "location"))
	if c.request.Method != http.MethodPut || wanted == "" || is == "" || wanted == canonical(is) {
		return nil
	}
	return invalidResourceLocation(name, c.param("group"), is, wanted)
}
