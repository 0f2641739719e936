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

// origin says where an error was made.
type origin int

const (
	local origin = iota // no HTTP answer that counts
	arm                 // Azure Resource Manager or a resource provider
	entra               // Entra ID, or the machine's identity endpoint
)

// answer is what an error tells, as the table of rules looks at it.
type answer struct {
	origin     origin
	status     int
	code       string
	message    string // one line
	target     string
	request    string
	codes      []string // code and those nested in details and inner errors
	targets    []string
	full       string // all messages, as they came
	text       string // the same in lower case, for substrings
	retryAfter time.Duration
}

func read(err error) answer {
	if errors.Is(err, context.Canceled) {
		return answer{message: "canceled", text: "context canceled"}
	}
	if e, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		return readEntra(e)
	}
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return readARM(e)
	}
	return readLocal(err)
}

func readARM(e *azcore.ResponseError) answer {
	a := answer{origin: arm, status: e.StatusCode, code: e.ErrorCode}
	raw := a.takeResponse(e.RawResponse)
	p := parse(raw)
	if a.code == "" {
		a.code = p.code
	}
	a.codes = slices.Concat(p.codes, []string{a.code})
	a.target, a.targets = p.target, p.targets
	a.message = Line(p.message)
	if a.message == "" {
		a.message = wording(raw, a.status)
	}
	a.full = strings.Join(append([]string{a.message}, p.messages...), "\n")
	a.text = strings.ToLower(a.full)
	return a
}

// takeResponse reads what the response tells beside its code, and returns its body.
func (a *answer) takeResponse(r *http.Response) []byte {
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

// wording tells of a body without Azure's JSON: what a proxy wrote, most likely.
func wording(raw []byte, status int) string {
	body := strings.TrimSpace(string(raw))
	if body == "" || strings.ContainsAny(body[:1], "<{[") {
		return strings.ToLower(http.StatusText(status))
	}
	return Line(body)
}

var aadsts = regexp.MustCompile(`AADSTS\d+`)

// readEntra reads an answer of Entra ID's token endpoint: a JSON object with
// error, error_description, trace_id. The SDK keeps the answer where MSAL had
// one, and the mere text of the cause where it had not.
func readEntra(e *azidentity.AuthenticationFailedError) answer {
	whole := e.Error()
	a := answer{origin: entra, text: strings.ToLower(whole)}
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
		a.message = wording(raw, a.status)
	default:
		a.message = chain(whole)
	}
	a.codes = []string{a.code, p.code}
	return a
}

// unreadable is how the SDK begins to tell of a success that is not the JSON it
// wants; the names of its types help nobody.
var unreadable = regexp.MustCompile(`^unmarshalling type \S+: `)

func readLocal(err error) answer {
	full := err.Error()
	a := answer{text: strings.ToLower(full), message: Line(full)}
	switch code := aadsts.FindString(full); {
	case strings.Contains(full, "Credential: "):
		a.origin, a.message = entra, chain(full)
	case code != "":
		a.origin, a.code, a.codes = entra, code, []string{code}
	case unreadable.MatchString(full):
		a.message = Line(unreadable.ReplaceAllString(full, "the answer cannot be read: "))
	case errors.Is(err, context.DeadlineExceeded):
		a.message = "no answer in time"
	case isNetwork(err):
		a.text += "\nnetwork"
		a.message = transport(err)
	}
	return a
}

// isNetwork leaves out url.Parse's errors, and those of files, which can tell
// of time-outs too.
func isNetwork(err error) bool {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Op != "parse"
	}
	_, op := errors.AsType[*net.OpError](err)
	_, dns := errors.AsType[*net.DNSError](err)
	return op || dns
}

// transport words an error of the HTTP client. Its URL may be long and hold a
// query: the host alone is kept.
func transport(err error) string {
	u, ok := errors.AsType[*url.Error](err)
	if !ok {
		return Line(err.Error())
	}
	if at, bad := url.Parse(u.URL); bad == nil && at.Host != "" {
		return Line(at.Host + ": " + u.Err.Error())
	}
	return Line(u.Err.Error())
}

// longest bounds what a header can ask for.
const longest = 24 * time.Hour

// RetryAfterOf reads the headers that the SDK reads, in its order. It returns
// zero where none asks to wait.
func RetryAfterOf(h http.Header) time.Duration {
	for _, w := range []struct {
		header string
		unit   time.Duration
	}{{"retry-after-ms", time.Millisecond}, {"x-ms-retry-after-ms", time.Millisecond}, {"Retry-After", time.Second}} {
		v := strings.TrimSpace(h.Get(w.header))
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
			return time.Duration(min(n, int64(longest/w.unit))) * w.unit
		}
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return min(max(time.Until(at).Round(time.Second), 0), longest)
	}
	return 0
}
