package world

import "cmp"

// Secrets are what of a scale set's model Azure never gives back.
type Secrets struct {
	Password   string // of the administrator
	CustomData string
	UserData   string
}

// over are the secrets with those of before where there are none.
func (s Secrets) over(before Secrets) Secrets {
	return Secrets{cmp.Or(s.Password, before.Password), cmp.Or(s.CustomData, before.CustomData), cmp.Or(s.UserData, before.UserData)}
}
