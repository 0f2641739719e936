package armerr

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func response(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Header: h, Body: io.NopCloser(strings.NewReader(body)),
		Request: &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "management.example", Path: "/x"}},
	}
}

func fromARM(t *testing.T, status int, body string, headers ...string) *Error {
	t.Helper()
	err := From("read", `scale set "ci"`, runtime.NewResponseError(response(status, body, headers...)))
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok)
	return e
}

func TestKindOfAzuresResponses(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   Kind
		text   string
	}{
		{429, `{"error":{"code":"OperationNotAllowed","message":"Quota of calls","details":[{"code":"TooManyRequests","target":"HighCostGet30Min"}]}}`, Throttled, "OperationNotAllowed (429)"},
		{429, `{"code":"OperationNotAllowed","message":"no outer error"}`, Throttled, "no outer error"},
		{200, `{"status":"Failed","error":{"code":"X","innererror":{"internalErrorCode":"TooManyRequestsReceived"}}}`, Throttled, "X (200)"},
		{409, `{"error":{"code":"OperationNotAllowed","message":"exceeding approved standardDSv5Family Cores quota."}}`, Quota, "vCPUs"},
		{409, `{"error":{"code":"OperationNotAllowed","message":"something else"}}`, Conflict, ""},
		{400, `{"error":{"code":"QuotaExceeded"}}`, Quota, "bad request"},
		{200, `{"status":"Failed","error":{"code":"ZonalAllocationFailed","message":"m"}}`, Allocation, "ZonalAllocationFailed (200): m"},
		{200, `{"status":"Failed","error":{"code":"OverconstrainedAllocationRequest","target":"0"}}`, Allocation, ""},
		{409, `{"error":{"code":"SkuNotAvailable","target":"sku.name"}}`, Allocation, "another size"},
		{200, `{"status":"Failed","error":{"code":"OperationPreempted"}}`, Preempted, ""},
		{409, `{"error":{"code":"OperationPreempted"}}`, Preempted, ""},
		{409, `{"error":{"code":"Conflict","message":"concurrent request"}}`, Conflict, ""},
		{409, `{"error":{"code":"OperationNotAllowed","message":"Operation 'Update' is not allowed on Virtual Machine Scale Set 'ci' since it is marked for deletion."}}`, Deleting, ""},
		{400, `{"error":{"code":"BadRequest","message":"Operation 'VirtualMachineScaleSets.virtualMachines.GET' is not allowed on Virtual Machine Scale Set 'ci'."}}`, NotAllowedForMode, "Uniform"},
		{409, `{"error":{"code":"OperationNotAllowed","message":"Operation 'a' is not allowed on Virtual Machine Scale Set 'ci' since it is updating."}}`, Conflict, ""},
		{400, `{"error":{"code":"InvalidParameter","target":"$skiptoken","message":"bad"}}`, Invalid, ""},
		{400, `{"error":{"code":"InvalidParameter","target":"instanceIds","message":"gone"}}`, InstanceGone, ""},
		{400, `{"error":{"code":"InstanceIdsListInstanceIdNotActiveVM"}}`, InstanceGone, ""},
		{502, `{"error":{"code":"ProviderError"}}`, Transient, "bad gateway"},
		{500, `{"error":{"code":"MultipleErrorsOccurred","details":[{"code":"ServerTimeout","message":"inner"}]}}`, Transient, "inner"},
		{408, ``, Transient, "status 408"},
		{401, `{"error":{"code":"ExpiredAuthenticationToken"}}`, Unauthenticated, "clock"},
		{401, `{"error":{"code":"InvalidAuthenticationTokenTenant"}}`, Unauthenticated, "tenant_id"},
		{404, `{"error":{"code":"SubscriptionNotFound"}}`, SubscriptionNotFound, "check subscription_id, and that the identity may see it"},
		{404, `{"error":{"code":"ResourceGroupNotFound"}}`, GroupNotFound, "resource_group_name"},
		{404, `{"error":{"code":"NotFound"}}`, NotFound, ""},
		{404, `<html>proxy</html>`, Unknown, "proxy"},
		{403, `{"error":{"code":"RequestDisallowedByPolicy"}}`, Forbidden, "Policy"},
		{409, `{"error":{"code":"ScopeLocked"}}`, Forbidden, "lock"},
		{412, `{"error":{"code":"PreconditionFailed"}}`, Precondition, ""},
		{202, ``, Unknown, "status 202"},
	} {
		e := fromARM(t, c.status, c.body)
		assert.Equal(t, c.kind.String(), e.Kind.String(), c.body)
		assert.Contains(t, e.Error(), c.text)
	}
}

func TestLine(t *testing.T) {
	e := fromARM(t, 429, `{"error":{"code":"OperationNotAllowed","message":"Too many.\r\nSlow down. ","target":"t"}}`,
		"x-ms-request-id", "1c2d", "Retry-After", "1200")
	assert.Equal(t, `read scale set "ci": OperationNotAllowed (429): Too many. Slow down; request 1c2d; `+
		`fix: wait 20m0s before the next try; other tools that call Azure often use up the same limit`, e.Error())
	assert.Equal(t, 20*time.Minute, RetryAfter(e))
	assert.Equal(t, "t", e.Target)
	assert.True(t, Is(fmt.Errorf("round: %w", e), Quota, Throttled))
	assert.Same(t, e, From("other", "thing", e))
	assert.NoError(t, From("a", "b", nil))
	assert.Equal(t, Unknown, KindOf(nil))
}

func TestForbiddenNamesTheMissingAction(t *testing.T) {
	e := fromARM(t, 403, `{"error":{"code":"AuthorizationFailed","message":"The client 'a' does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/read' over scope '/subscriptions/x'."}}`)
	assert.Contains(t, e.Hint, "the action Microsoft.Compute/virtualMachineScaleSets/read on")
	e = fromARM(t, 403, `{"error":{"code":"LinkedAuthorizationFailed","message":"The client has permission to perform action 'Microsoft.Compute/virtualMachineScaleSets/write' on scope '`+
		strings.Repeat("x", 400)+`'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s)"}}`)
	assert.Contains(t, e.Hint, "the action Microsoft.Network/virtualNetworks/subnets/join/action on")
	assert.Less(t, len(e.Message), 310)
}

func TestRetryAfterHeaders(t *testing.T) {
	for _, c := range []struct {
		header, value string
		want          time.Duration
	}{
		{"retry-after-ms", "1500", 1500 * time.Millisecond},
		{"x-ms-retry-after-ms", "20", 20 * time.Millisecond},
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", "-7", 0},
		{"Retry-After", "9223372036854775807", 24 * time.Hour},
		{"Retry-After", "soon", 0},
		{"Retry-After", "Mon, 01 Jan 2001 00:00:00 GMT", 0},
	} {
		assert.Equal(t, c.want, fromARM(t, 429, "", c.header, c.value).RetryAfter, c.value)
	}
}

func TestSignIn(t *testing.T) {
	const ids = ` Trace ID: aaaa Correlation ID: bbbb Timestamp: 2026-01-01`
	for _, c := range []struct {
		status     int
		code, hint string
		kind       Kind
	}{
		{401, "AADSTS7000215", "value, not its ID", Unauthenticated},
		{401, "AADSTS7000222", "expired", Unauthenticated},
		{400, "AADSTS700016", "client_id", Unauthenticated},
		{400, "AADSTS90002", "AZURE_TENANT_ID", Unauthenticated},
		{400, "AADSTS900023", "AZURE_TENANT_ID", Unauthenticated},
		{401, "AADSTS700027", "certificate", Unauthenticated},
		{400, "AADSTS999999", "credential", Unauthenticated},
		{503, "AADSTS90033", "minutes", Transient},
	} {
		body := `{"error":"invalid_client","error_description":"` + c.code + `: Some words.\r\n` + ids + `","trace_id":"aaaa"}`
		err := From("read", "it", fmt.Errorf("w: %w", &azidentity.AuthenticationFailedError{RawResponse: response(c.status, body)}))
		e, _ := errors.AsType[*Error](err)
		assert.Equal(t, c.kind, e.Kind)
		assert.Contains(t, e.Hint, c.hint)
		assert.True(t, strings.HasPrefix(err.Error(), fmt.Sprintf("read it: %s (%d): Some words; request aaaa; fix: ", c.code, c.status)), err)
	}
}

func TestNoResponse(t *testing.T) {
	ask := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://management.example/x?sig=hidden", Err: err}
	}
	for _, c := range []struct {
		err  error
		kind Kind
		text string
	}{
		{ask(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "management.example"}}), Network, "DNS"},
		{ask(x509.UnknownAuthorityError{}), Network, "SSL_CERT_FILE"},
		{ask(context.DeadlineExceeded), Network, "request timed out"},
		{fmt.Errorf("w: %w", context.Canceled), Canceled, "canceled"},
		{io.ErrUnexpectedEOF, Network, ""},
		{&url.Error{Op: "parse", URL: ":", Err: errors.New("missing scheme")}, Unknown, ""},
		{errors.New("missing environment variable AZURE_TENANT_ID"), Unauthenticated, "runner's environment"},
		{azidentity.NewCredentialUnavailableError("DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tEnvironmentCredential: missing.\n\tAzureCLICredential: not found. To troubleshoot, visit https://x"), Unauthenticated, "DefaultAzureCredential: no credential worked: EnvironmentCredential: missing; AzureCLICredential: not found; fix: set credential"},
		{azidentity.NewCredentialUnavailableError("ClientSecretCredential: Get https://login: dial tcp: i/o timeout"), Network, "firewall"},
	} {
		err := From("read", "it", c.err)
		assert.Equal(t, c.kind.String(), KindOf(err).String(), c.err)
		assert.Contains(t, err.Error(), c.text)
		assert.NotContains(t, err.Error(), "hidden")
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestMayHaveTakenEffect(t *testing.T) {
	assert.False(t, MayHaveTakenEffect(nil))
	assert.True(t, MayHaveTakenEffect(From("a", "b", context.DeadlineExceeded)))
	assert.True(t, MayHaveTakenEffect(fromARM(t, 500, "")))
	assert.True(t, MayHaveTakenEffect(From("a", "b", errors.New("odd"))), "what is not understood proves nothing")
	assert.False(t, MayHaveTakenEffect(fromARM(t, 418, "")), "Azure refused it")
	assert.False(t, MayHaveTakenEffect(fromARM(t, 412, "")))
	assert.False(t, MayHaveTakenEffect(fromARM(t, 409, `{"error":{"code":"Conflict"}}`)))
}

func TestSecretsAreHidden(t *testing.T) {
	for _, s := range []string{
		`client_secret=hunter2&x=y`, `{"access_token": "hunter2"}`, `Authorization: Bearer hunter2hunter2hunter2`, `eyJhbGciOiJIUzI1NiJ9.hunter2.sig`,
	} {
		assert.NotContains(t, fromARM(t, 400, s).Error(), "hunter2")
	}
}

func TestEveryRuleHasAHint(t *testing.T) {
	for _, r := range rules {
		require.NotNil(t, r.hint)
		assert.Contains(t, kindNames, r.kind.String())
	}
	assert.Len(t, kindNames, int(Canceled)+1)
}

func FuzzFrom(f *testing.F) {
	f.Add(429, "OperationNotAllowed", `{"error":{"code":"a","details":[{"innererror":{"code":1}},null,3],"message":{"value":"x\ny"}}}`, "7")
	f.Add(404, "", "<html>\u2028", "")
	f.Add(403, "LinkedAuthorizationFailed", `{"error":{"code":"LinkedAuthorizationFailed","message":"action(s) 'A.b/c' on the linked scope(s) '/subscriptions/s/resourceGroups/`+
		strings.Repeat("g", 3000)+`/providers/Microsoft.Compute/galleries/g/images/i'"}}`, "")
	f.Add(0, "a\nb", `{"error":"x","error_description":"AADSTS1: a\r\nTrace ID: b"}`, "Mon, 02 Jan 2006 15:04:05 GMT")
	f.Fuzz(func(t *testing.T, status int, code, body, retry string) {
		causes := []error{
			runtime.NewResponseErrorWithErrorCode(response(status, body, "Retry-After", retry, "x-ms-request-id", code), code),
			&azidentity.AuthenticationFailedError{RawResponse: response(status, body)},
			azidentity.NewCredentialUnavailableError(body),
			errors.New(body),
		}
		for _, cause := range causes {
			err := From("read", code, cause)
			e, ok := errors.AsType[*Error](err)
			require.True(t, ok)
			require.GreaterOrEqual(t, e.RetryAfter, time.Duration(0))
			require.Less(t, len([]rune(err.Error())), 2000)
			require.Equal(t, -1, strings.IndexFunc(err.Error(), unicode.IsControl), err.Error())
		}
	})
}
