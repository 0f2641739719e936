package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signedIn is an Azure that knows nothing but who asks.
type signedIn struct {
	Azure
	claims claims
}

func (s signedIn) Token(context.Context) (string, time.Time, error) {
	payload, err := json.Marshal(s.claims)
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".", time.Time{}, err
}

// TestSignInNamesTheOwner as far as the token does.
func TestSignInNamesTheOwner(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		claims claims
		owner  string
	}{
		"as application a, object o, tenant t":                    {claims{Application: "a", Object: "o", Tenant: "t"}, "o"},
		"as u@example.com, object o, tenant t":                    {claims{Application: "a", Object: "o", Tenant: "t", User: "u@example.com"}, "o"},
		"as application a, whose token names no object, tenant t": {claims{Application: "a", Tenant: "t"}, "a"},
	} {
		found, owner, err := (&subject{}).signIn(t.Context(), signedIn{claims: c.claims})
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Contains(t, found[0].Text, want)
		assert.Equal(t, c.owner, owner)
	}
}
