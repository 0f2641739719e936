package armsim

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// What was on offer before a recording began, by what its exchanges found.

// replayImages are the parts of the platform images that a recording's names
// stand for: one with a plan, and one without.
var replayImages = map[bool]map[string]string{
	false: {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "24.04.202511040"},
	true:  {"publisher": "almalinux", "offer": "almalinux-x86_64", "sku": "9-gen2", "version": "9.6.202505220", "plan": "9-gen2"},
}

// replayParts are the names of platform images by placeholder.
func replayParts(r recordings.Summary) map[string]string {
	parts := map[string]string{}
	for _, x := range r.Exchanges {
		path := strings.ToLower(x.Path)
		if !strings.Contains(path, "/publishers/") {
			continue
		}
		sold := x.Response["properties.plan"] != "" || x.Response["properties.plan.name"] != ""
		for _, s := range slot.FindAllString(x.Path, -1) {
			name := replayImages[sold][slot.FindStringSubmatch(s)[1]]
			if name != "" && (sold || parts[s] == "") {
				parts[s] = name
			}
		}
	}
	return parts
}

var sharedDefinition = regexp.MustCompile(`/(community|shared)Galleries/(\{[^}]*\})/images/(\{[^}]*\})(?:/versions/(\{[^}]*\}))?$`)

// offer makes the catalogue that the recording found.
func (p *replayer) offer() {
	changes := CatalogChanges{}
	shared := map[string]SharedImage{}
	for _, x := range p.r.Exchanges {
		if x.Response["value[].restrictions[].reasonCode"] != "" {
			changes.Restrictions = []SizeRestriction{{Size: "Standard_F8s_v2"}}
		}
		m := sharedDefinition.FindStringSubmatch(x.Path)
		if m == nil || x.Status != http.StatusOK {
			continue
		}
		image := shared[m[1]+m[2]+m[3]]
		image.Community, image.Gallery, image.Name = m[1] == "community", p.fill(m[2]), p.fill(m[3])
		image.Versions = append(image.Versions, p.fill("{version}"))
		if m[4] != "" {
			image.Versions = append(image.Versions, p.fill(m[4]))
		}
		shared[m[1]+m[2]+m[3]] = image
	}
	for _, image := range shared {
		changes.SharedImages = append(changes.SharedImages, image)
	}
	require.NoError(p.t, p.s.ChangeCatalog(changes))
}

// named is the name in this run of what a placeholder of a catalogue's path stands
// for; empty: of nothing in one.
func (p *replayer) named(placeholder, kind, number string) string {
	if name := p.parts[placeholder]; name != "" {
		return name
	}
	if kind == "version" {
		return "1.0." + strings.TrimPrefix(number, ":") + "1"
	}
	return ""
}
