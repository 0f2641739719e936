package armerr

import (
	"bytes"
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
	subject    subject
	host       string // that was asked
	page       bool   // the body is a page for people, as of a proxy
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
	d := details{origin: arm, status: e.StatusCode, code: e.ErrorCode}
	raw := d.readResponse(e.RawResponse)
	p := parse(raw)
	if d.code == "" {
		d.code = p.code
	}
	d.codes = slices.Concat(p.codes, []string{d.code})
	d.target, d.targets = p.target, p.targets
	d.subject = subjectOf(strings.Join(p.messages, "\n"))
	d.message = lineWith(p.message, d.subject.id)
	if d.message == "" {
		d.message = bodyText(raw, d.status)
	}
	d.full = strings.Join(append([]string{d.message}, p.messages...), "\n")
	d.text = strings.ToLower(d.full)
	return d
}

// readResponse reads status and headers, and returns the body.
func (d *details) readResponse(r *http.Response) []byte {
	if r == nil {
		return nil
	}
	if d.status == 0 {
		d.status = r.StatusCode
	}
	if r.Request != nil && r.Request.URL != nil {
		d.host = r.Request.URL.Hostname()
	}
	d.request = r.Header.Get("x-ms-request-id")
	if d.request == "" {
		d.request = r.Header.Get("x-ms-correlation-request-id")
	}
	d.retryAfter = RetryAfterOf(r.Header)
	if r.Body == nil {
		return nil
	}
	raw, err := runtime.Payload(r)
	if err != nil {
		return nil
	}
	d.page = isPage(raw)
	return raw
}

func isPage(raw []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("<")) }

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
	text := e.Error()
	d := details{origin: entra, text: strings.ToLower(text)}
	raw := d.readResponse(e.RawResponse)
	p := parseEntra(raw)
	d.code, d.message = p.code, p.message
	if code := aadsts.FindString(p.message + "\n" + text); code != "" {
		d.code = code
		d.message = strings.TrimPrefix(d.message, code+": ")
	}
	if p.request != "" {
		d.request = p.request
	}
	switch {
	case d.message != "":
	case len(raw) > 0 && strings.Contains(text, "RESPONSE "):
		credential, _, _ := strings.Cut(text, " authentication failed")
		d.message = Line(credential + ": " + bodyText(raw, d.status))
	default:
		d.message = credentialChain(text)
	}
	d.codes = []string{d.code, p.code}
	return d
}

// decodeError is the prefix of the SDK's error for a successful response that is
// not the expected JSON; the names of its types are of no use to a user.
var decodeError = regexp.MustCompile(`^unmarshalling type \S+: `)

func readLocal(err error) details {
	full := err.Error()
	d := details{text: strings.ToLower(full), message: Line(full)}
	switch code := aadsts.FindString(full); {
	case strings.Contains(full, "Credential: "):
		d.origin, d.message = entra, credentialChain(full)
		d.code, d.codes = code, []string{code}
	case code != "":
		d.origin, d.code, d.codes = entra, code, []string{code}
	case decodeError.MatchString(full):
		d.message = Line(decodeError.ReplaceAllString(full, "response cannot be decoded: "))
	case errors.Is(err, context.DeadlineExceeded):
		d.message = "request timed out"
	case isNetwork(err):
		d.text += "\nnetwork"
		d.message = transportMessage(err)
	}
	return d
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
