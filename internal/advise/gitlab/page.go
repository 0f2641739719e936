package gitlab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	pageLimit = 64 << 20 // bytes of a page, of which 100 jobs have about 300,000
	tries     = 6
	waitLimit = 10 * time.Minute // that GitLab may ask for
)

// page reads a page, and waits where GitLab asks to. The next one's address is empty
// after the last.
func (r *Reader) page(address string) ([]job, string, error) {
	for try := 0; ; try++ {
		page, next, wait, err := r.get(address)
		switch {
		case err == nil && wait > 0 && next != "":
			err = r.o.Sleep(r.ctx, wait)
			return page, next, err
		case errors.Is(err, errNoKeyset) && strings.Contains(address, keyset):
			address = strings.Replace(address, keyset, "", 1)
			continue
		case err == nil || wait == 0 || try == tries-1:
			return page, next, err
		case !errors.Is(err, errThrottled):
			wait <<= try
		}
		if err := r.o.Sleep(r.ctx, wait); err != nil {
			return nil, "", err
		}
	}
}

// keyset asks for keyset paging, where the next page is known by the last ID of this one.
const keyset = "&pagination=keyset"

var (
	// errThrottled: GitLab said when to come back.
	errThrottled = errors.New("429 Too Many Requests, again and again; fix: come back later, or raise the limit for authenticated API requests")

	// errNoKeyset: an older GitLab has keyset paging for fewer lists.
	errNoKeyset = errors.New("405 Method Not Allowed")
)

// get asks once. wait is for how long to wait: before the same again with an error, which
// is final where it is 0, and before the next page without.
func (r *Reader) get(address string) (page []job, next string, wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(r.ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", 0, err
	}
	// Unlike PRIVATE-TOKEN this header does not follow a redirect to another host.
	request.Header.Set("Authorization", "Bearer "+r.o.Token)
	request.Header.Set("Accept", "application/json")
	response, err := r.o.HTTP.Do(request)
	if err != nil {
		if r.ctx.Err() != nil {
			return nil, "", 0, r.ctx.Err()
		}
		return nil, "", time.Second, unwrap(err)
	}
	defer response.Body.Close()
	if wait, err := r.refusal(response); err != nil {
		return nil, "", wait, err
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return nil, "", 0, fmt.Errorf("it is %q and not JSON, probably a page to sign in; fix: give GitLab's own address, and a token with the scope read_api", kind)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, pageLimit)).Decode(&page); err != nil {
		return nil, "", 0, fmt.Errorf("it is no list of jobs: %w", err)
	}
	next, err = r.following(request.URL, response.Header)
	return page, next, r.pause(response.Header), err
}

// unwrap takes the address out of an error that is put behind another.
func unwrap(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// refusal is the error that a status means.
func (r *Reader) refusal(response *http.Response) (wait time.Duration, err error) {
	switch status := response.StatusCode; {
	case status == http.StatusOK:
		return 0, nil
	case status == http.StatusMethodNotAllowed:
		return 0, errNoKeyset
	case status == http.StatusTooManyRequests:
		return max(time.Second, r.after(response.Header)), errThrottled
	case status >= 500:
		return max(time.Second, r.after(response.Header)), fmt.Errorf("%s", response.Status)
	case status == http.StatusUnauthorized:
		return 0, errors.New("401 Unauthorized: the token is not known, or has expired; fix: a token with the scope read_api in GITLAB_TOKEN")
	case status == http.StatusForbidden:
		return 0, errors.New("403 Forbidden: the token may not read this; fix: scope read_api, the role Reporter or above in the project, and for a runner the right to administer it")
	case status == http.StatusNotFound:
		return 0, errors.New("404 Not Found: there is no such project or runner, or the token may not see it; fix: the ID, and the role Reporter or above")
	}
	return 0, fmt.Errorf("%s", response.Status)
}

// after is for how long a response asks to wait.
func (r *Reader) after(h http.Header) time.Duration {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s > 0 {
		return min(waitLimit, time.Duration(s)*time.Second)
	}
	return r.reset(h)
}

// reset is for how long the limit of requests lasts.
func (r *Reader) reset(h http.Header) time.Duration {
	if s, err := strconv.ParseInt(h.Get("RateLimit-Reset"), 10, 64); err == nil {
		return min(waitLimit, max(0, time.Unix(s, 0).Sub(r.o.Now())))
	}
	return 0
}

// pause is how long to wait before the next page, as the limit of requests is used up.
func (r *Reader) pause(h http.Header) time.Duration {
	if left, err := strconv.Atoi(h.Get("RateLimit-Remaining")); err == nil && left <= 0 {
		return r.reset(h)
	}
	return 0
}

var nextLink = regexp.MustCompile(`<([^>]*)>\s*;[^,]*\brel="?next\b`)

// following is the address of the next page. A server that does not know keyset paging
// for a list numbers its pages.
func (r *Reader) following(this *url.URL, h http.Header) (string, error) {
	if found := nextLink.FindStringSubmatch(strings.Join(h.Values("Link"), ", ")); found != nil {
		next, err := this.Parse(found[1])
		if err != nil || next.Host != this.Host {
			return "", fmt.Errorf("it refers to another host for the next page, which the token is not sent to; fix: give the address that GitLab has as its external_url")
		}
		next.Scheme = this.Scheme
		return next.String(), nil
	}
	if page := h.Get("X-Next-Page"); page != "" {
		next := *this
		q := next.Query()
		q.Set("page", page)
		next.RawQuery = q.Encode()
		return next.String(), nil
	}
	return "", nil
}
