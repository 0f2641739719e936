package instancegroup

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"

// joined makes one line of several errors; the first decides on its kind.
func joined(all ...error) error { return armerr.Join(all...) }
