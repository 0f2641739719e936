package armapi

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/stretchr/testify/assert"
)

// TestFingerprint: it changes with what new instances are made from, and nothing else.
func TestFingerprint(t *testing.T) {
	of := func(body string) string {
		return scaleSetOf(decode[armcompute.VirtualMachineScaleSet](t, body)).Model.Fingerprint
	}
	const profile = `"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"id":"/i/1"}},"osProfile":{"adminUsername":"a","linuxConfiguration":{"ssh":{"publicKeys":[{"keyData":"k1"}]}}}}}`
	base := of(`{"sku":{"name":"S","capacity":1},` + profile + `}`)
	assert.Equal(t, base, of(`{"etag":"7","tags":{"a":"b"},"sku":{"name":"S","capacity":5},`+profile+`}`))
	for _, other := range []string{
		`{"sku":{"name":"L"},` + profile + `}`,
		`{"sku":{"name":"S"},"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"id":"/i/2"}},"osProfile":{"adminUsername":"a","linuxConfiguration":{"ssh":{"publicKeys":[{"keyData":"k1"}]}}}}}}`,
		`{"sku":{"name":"S"},"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"id":"/i/1"}},"osProfile":{"adminUsername":"a","linuxConfiguration":{"ssh":{"publicKeys":[{"keyData":"k2"}]}}}}}}`,
	} {
		assert.NotEqual(t, base, of(other))
	}
}
