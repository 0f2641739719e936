package armsim

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// What existed before a recording began, by what its exchanges found.

// setIn is the part of a path that names a scale set; empty where it names
// none.
func setIn(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.EqualFold(part, "virtualMachineScaleSets") && i+1 < len(parts) {
			parts[i-1], parts[i] = "Microsoft.Compute", "virtualMachineScaleSets"
			return strings.Join(parts[:i+2], "/")
		}
	}
	return ""
}

func groupIn(path string) string {
	group, _, found := strings.Cut(path, "/providers/")
	if !found || !strings.Contains(group, "{group") {
		return ""
	}
	return group
}

func isCode(x recordings.Exchange, codes ...string) bool {
	return x.Error != nil && slices.Contains(codes, x.Error.Code)
}

// presentGroups are the resource groups that any exchange found.
func presentGroups(r recordings.Summary) []string {
	var present []string
	for _, x := range r.Exchanges {
		group := groupIn(x.Path)
		if group == "" {
			group = foundGroup(r, x)
		}
		missing := isCode(x, "ResourceGroupNotFound") && !aboutDeployment(x.Path) // which may have a template for another one
		if group != "" && !missing && !slices.Contains(present, group) {
			present = append(present, group)
		}
	}
	return present
}

// presentSets are the scale sets whose first exchange found them.
func presentSets(r recordings.Summary) []string {
	var present []string
	seen := map[string]bool{}
	for _, x := range r.Exchanges {
		set := setIn(x.Path)
		if set == "" && strings.HasSuffix(strings.ToLower(x.Path), "/virtualmachinescalesets") && x.Response["value[].id"] != "" && !anyIn(seen, groupIn(x.Path)) {
			set = x.Path + "/{scaleSet}" // a list of sets that the recording never touched before
		}
		if set == "" || seen[set] {
			continue
		}
		seen[set] = true
		if !foundNone(x) && !isDeployed(r, set) {
			present = append(present, set)
		}
	}
	return present
}

func anyIn(sets map[string]bool, group string) bool {
	for set := range sets {
		if groupIn(set) == group {
			return true
		}
	}
	return false
}

func foundNone(x recordings.Exchange) bool {
	switch x.Status {
	case http.StatusCreated, http.StatusNoContent:
		return true
	case http.StatusConflict:
		return x.Method == http.MethodPut
	case http.StatusNotFound:
		return !isCode(x, "NotFound") || !strings.Contains(x.Path, "{instance")
	}
	return false
}

// replayCapacity leaves instances over that the recording does not name.
func replayCapacity(r recordings.Summary) float64 {
	named := map[string]bool{}
	for _, x := range r.Exchanges {
		for _, s := range slot.FindAllString(x.Path, -1) {
			named[s] = strings.HasPrefix(s, "{instance")
		}
	}
	n := 3.0
	for _, isInstance := range named {
		if isInstance {
			n++
		}
	}
	return n
}
