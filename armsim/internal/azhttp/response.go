package azhttp

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

type object = jsonmap.Object

// Response is one that is about to be sent.
type Response struct {
	Status int
	Header http.Header
	Body   any    // nil: none
	Code   string // of an error
}

// Clone copies the response, its header and body deeply.
func (r *Response) Clone() *Response {
	copied := *r
	copied.Header, copied.Body = r.Header.Clone(), jsonmap.Clone(r.Body)
	return &copied
}

// RawBody is a body that is sent as it is.
type RawBody string

// ContentTypeJSON is the Content-Type of JSON as Azure writes it.
const ContentTypeJSON = "application/json; charset=utf-8"

// Encoder encodes bodies; lists are long, so it keeps the room that they took.
// It is not safe for concurrent use.
type Encoder struct{ buffer []byte }

// Encode is a response's body as it is sent; nil where there is none.
func (e *Encoder) Encode(body any) []byte {
	if body == nil {
		return nil
	}
	if raw, ok := body.(RawBody); ok {
		return []byte(raw)
	}
	encoded, err := jsonmap.Append(e.buffer[:0], body)
	if err != nil {
		panic(fmt.Sprintf("armsim: encode response: %v", err)) // only maps of JSON values come here
	}
	e.buffer = encoded
	return slices.Clone(encoded)
}

// WriteJSON sends a response with a JSON body.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", ContentTypeJSON)
	}
	w.WriteHeader(status)
	_, _ = w.Write(new(Encoder).Encode(body)) // a client that went away is its own affair
}

// Send sends the response with the body that it was encoded to.
func (r *Response) Send(w http.ResponseWriter, encoded []byte) {
	header := w.Header()
	if encoded != nil {
		header.Set("Content-Type", ContentTypeJSON)
		header.Set("Content-Length", strconv.Itoa(len(encoded)))
	}
	for key, values := range r.Header {
		header[key] = values
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(encoded) // a client that went away is its own affair
}

// QueryFold reads a query parameter in any case, as ARM does.
func QueryFold(q url.Values, name string) string {
	for key := range q {
		if strings.EqualFold(key, name) {
			return q.Get(key)
		}
	}
	return ""
}
