package armerr

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// origin is where an error came from.
type origin int

const (
	local origin = iota // no HTTP response, or none that counts
	arm                 // Azure Resource Manager or a resource provider
	entra               // Entra ID, or the machine's identity endpoint
)

// details is what the table of rules looks at.
type details struct {
	origin     origin
	status     int
	code       string
	message    string // one line
	target     string
	request    string
	codes      []string // code and those nested in details and inner errors
	targets    []string
	full       string // all messages, unchanged
	text       string // the same in lower case, for substrings
	retryAfter time.Duration
}

func read(err error) details {
	if errors.Is(err, context.Canceled) {
		return details{message: "canceled", text: "context canceled"}
	}
	if e, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		return readEntra(e)
	}
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return readARM(e)
	}
	return readLocal(err)
}

func readARM(e *azcore.ResponseError) details {
	a := details{origin: arm, status: e.StatusCode, code: e.ErrorCode}
	raw := a.takeResponse(e.RawResponse)
	p := parse(raw)
	if a.code == "" {
		a.code = p.code
	}
	a.codes = slices.Concat(p.codes, []string{a.code})
	a.target, a.targets = p.target, p.targets
	a.message = Line(p.message)
	if a.message == "" {
		a.message = bodyText(raw, a.status)
	}
	a.full = strings.Join(append([]string{a.message}, p.messages...), "\n")
	a.text = strings.ToLower(a.full)
	return a
}

// readResponse reads status and headers, and returns the body.
func (a *details) takeResponse(r *http.Response) []byte {
	if r == nil {
		return nil
	}
	if a.status == 0 {
		a.status = r.StatusCode
	}
	a.request = r.Header.Get("x-ms-request-id")
	if a.request == "" {
		a.request = r.Header.Get("x-ms-correlation-request-id")
	}
	a.retryAfter = RetryAfterOf(r.Header)
	if r.Body == nil {
		return nil
	}
	raw, err := runtime.Payload(r)
	if err != nil {
		return nil
	}
	return raw
}

// bodyText describes a body that is not Azure's JSON, most likely a proxy's.
func bodyText(raw []byte, status int) string {
	body := strings.TrimSpace(string(raw))
	if body == "" || strings.ContainsAny(body[:1], "<{[") {
		return strings.ToLower(http.StatusText(status))
	}
	return Line(body)
}

var aadsts = regexp.MustCompile(`AADSTS\d+`)

// readEntra reads a response of Entra ID's token endpoint: a JSON object with
// error, error_description and trace_id. The SDK keeps the response if MSAL got
// one, otherwise only the text of the cause.
func readEntra(e *azidentity.AuthenticationFailedError) details {
	whole := e.Error()
	a := details{origin: entra, text: strings.ToLower(whole)}
	raw := a.takeResponse(e.RawResponse)
	p := parseEntra(raw)
	a.code, a.message = p.code, p.message
	if code := aadsts.FindString(p.message + "\n" + whole); code != "" {
		a.code = code
		a.message = strings.TrimPrefix(a.message, code+": ")
	}
	if p.request != "" {
		a.request = p.request
	}
	switch {
	case a.message != "":
	case len(raw) > 0 && strings.Contains(whole, "RESPONSE "):
		a.message = bodyText(raw, a.status)
	default:
		a.message = credentialChain(whole)
	}
	a.codes = []string{a.code, p.code}
	return a
}

// decodeError is the prefix of the SDK's error for a successful response that is
// not the expected JSON; the names of its types are of no use to a user.
var decodeError = regexp.MustCompile(`^unmarshalling type \S+: `)

func readLocal(err error) details {
	full := err.Error()
	a := details{text: strings.ToLower(full), message: Line(full)}
	switch code := aadsts.FindString(full); {
	case strings.Contains(full, "Credential: "):
		a.origin, a.message = entra, credentialChain(full)
	case code != "":
		a.origin, a.code, a.codes = entra, code, []string{code}
	case decodeError.MatchString(full):
		a.message = Line(decodeError.ReplaceAllString(full, "response cannot be decoded: "))
	case errors.Is(err, context.DeadlineExceeded):
		a.message = "request timed out"
	case isNetwork(err):
		a.text += "\nnetwork"
		a.message = transportMessage(err)
	}
	return a
}

// isNetwork excludes the errors of url.Parse, and those of files, which may be
// timeouts, too.
func isNetwork(err error) bool {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Op != "parse"
	}
	_, op := errors.AsType[*net.OpError](err)
	_, dns := errors.AsType[*net.DNSError](err)
	return op || dns
}

// transportMessage describes an error of the HTTP client. Of its URL, which may
// have a query, only the host is kept.
func transportMessage(err error) string {
	u, ok := errors.AsType[*url.Error](err)
	if !ok {
		return Line(err.Error())
	}
	if at, bad := url.Parse(u.URL); bad == nil && at.Host != "" {
		return Line(at.Host + ": " + u.Err.Error())
	}
	return Line(u.Err.Error())
}

// maxRetryAfter bounds what a header can ask for.
const maxRetryAfter = 24 * time.Hour

// RetryAfterOf reads the headers that the SDK reads, in the same order. It returns
// zero if none asks to wait.
func RetryAfterOf(h http.Header) time.Duration {
	for _, w := range []struct {
		header string
		unit   time.Duration
	}{{"retry-after-ms", time.Millisecond}, {"x-ms-retry-after-ms", time.Millisecond}, {"Retry-After", time.Second}} {
		v := strings.TrimSpace(h.Get(w.header))
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
			return time.Duration(min(n, int64(maxRetryAfter/w.unit))) * w.unit
		}
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return min(max(time.Until(at).Round(time.Second), 0), maxRetryAfter)
	}
	return 0
}
