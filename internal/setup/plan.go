package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
)

// Azure is what setup needs of armapi.Resources.
type Azure interface {
	Get(ctx context.Context, operation, id string, query url.Values, out any) error
	Exists(ctx context.Context, operation, id string) (bool, error)
	Find(ctx context.Context, operation, id string, out any) (bool, error)
	Write(ctx context.Context, operation, id string, body, out any) error
	Each(ctx context.Context, operation, id string, query url.Values, f func(json.RawMessage) error) error
}

// Action is what is to be done about one resource.
type Action string

// The actions.
const (
	Create  Action = "create"
	Change  Action = "change"
	Keep    Action = "keep"
	Remove  Action = "remove"
	Foreign Action = "foreign" // is there, was not made by setup, and is not as wanted
)

// Item is one resource of a plan.
type Item struct {
	Action      Action       `json:"action"`
	Title       string       `json:"title"`
	ID          string       `json:"id"`
	Differences []Difference `json:"differences,omitempty"`

	step step
	have object
}

// step makes one resource.
type step struct {
	id, get, put string // ID and operations
	label        string // title; empty: made of the ID
	want         object
	unmarked     bool // cannot have tags: its ID tells whose it is
	assigns      bool // the assignment of the role, whose principal may not be known yet
	patch        string
}

func (s step) title() string {
	if s.label != "" {
		return s.label
	}
	return armapi.Title(s.id)
}

// Plan is what a run would do.
type Plan struct {
	Items []Item   `json:"items"`
	Notes []string `json:"notes,omitempty"`
}

// Changes reports whether anything is to be done.
func (p *Plan) Changes() bool {
	return slices.ContainsFunc(p.Items, func(i Item) bool { return i.Action != Keep })
}

// Err is that something is in the way, in one line with the fix; nil if nothing is.
func (p *Plan) Err() error {
	var wrong []error
	for _, i := range p.Items {
		if i.Action == Foreign {
			wrong = append(wrong, fmt.Errorf("%s is there, and setup did not make it; fix: another --name, or remove it", i.Title))
		}
		for _, d := range i.Differences {
			if i.Action == Change && slices.ContainsFunc(fixed, func(path string) bool {
				return d.Path == path || strings.HasPrefix(d.Path, path+".") || strings.HasPrefix(d.Path, path+"[")
			}) {
				wrong = append(wrong, fmt.Errorf("%s: Azure does not let anybody change %s (from %v to %v); fix: another --name, or teardown first", i.Title, d.Path, d.From, d.To))
			}
		}
	}
	return joined(wrong)
}

// compare decides about one resource.
func (s step) compare(ctx context.Context, azure Azure, owner string) (Item, error) {
	i := Item{Action: Create, Title: s.title(), ID: s.id, step: s}
	there, err := azure.Find(ctx, s.get, s.id, &i.have)
	if err != nil || !there {
		return i, err
	}
	s.want = withKeysOf(s.want, i.have)
	i.step = s
	i.Differences = differences("", any(s.withoutHidden()), any(i.have))
	switch {
	case !s.unmarked && s.mark(i.have) != owner && len(i.Differences) > 0:
		i.Action = Foreign
	case len(i.Differences) > 0:
		i.Action = Change
	default:
		i.Action = Keep
	}
	return i, nil
}

// mark is whom a resource was made for; empty: setup did not make it.
func (s step) mark(have object) string {
	tags, _ := have["tags"].(object)
	name, _ := valueOf(tags, ownerTag).(string)
	return name
}

// withoutHidden is what Azure shows of what is wanted: never customData, and the capacity
// is the runner's affair once the scale set is there.
func (s step) withoutHidden() object {
	var clone object
	text, _ := json.Marshal(s.want)
	_ = json.Unmarshal(text, &clone)
	delete(at(clone, "properties", "virtualMachineProfile", "osProfile"), "customData")
	delete(at(clone, "sku"), "capacity")
	return clone
}

// at is the object at a path; nil if there is none, from which nothing can be deleted.
func at(o object, path ...string) object {
	for _, key := range path {
		o, _ = o[key].(object)
	}
	return o
}
