package doctor

import (
	"context"
	"fmt"
	"strings"
)

// A computer name is the prefix of the model with six characters of the instance's
// (Microsoft's page on instance IDs). Linux takes 63 of them, Windows 15 (resource name
// rules); Azure itself takes a prefix of 58 on Linux, and what is too long shows in the
// instance's syslog alone.
const (
	appended   = 6
	mostLinux  = 63
	mostInName = 15 // of Windows
)

func (c *cloud) checkNames(context.Context) ([]Finding, error) {
	prefix := c.model.Properties.Profile.OS.Prefix
	fix := "create the scale set again with a shorter one, which nobody can change later: az vmss create --computer-name-prefix ci"
	windows := strings.EqualFold(c.set.Model.OSType, "Windows")
	switch {
	case windows && len(prefix)+appended > mostInName:
		return []Finding{fault(0, fmt.Sprintf("computerNamePrefix %q has %d characters, and Windows takes %d: names of computers have %d at most, of which Azure appends %d", prefix, len(prefix), mostInName-appended, mostInName, appended), fix)}, nil
	case windows && prefix != "" && strings.Trim(prefix, "0123456789") == "":
		return []Finding{fault(0, fmt.Sprintf("computerNamePrefix %q has digits alone, which Windows does not take", prefix), fix)}, nil
	case !windows && len(prefix)+appended > mostLinux:
		return []Finding{fault(0, fmt.Sprintf("computerNamePrefix has %d characters, and names of computers, of which Azure appends %d, have %d at most on Linux: an instance does not get its name", len(prefix), appended, mostLinux), fix)}, nil
	}
	return nil, nil
}
