package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

// Pool hands out loopback addresses like an Azure subnet: always the lowest
// free one, never the first four nor the last, which Azure reserves. Its
// methods may be called from any goroutine.
type Pool struct {
	prefix netip.Prefix
	first  netip.Addr
	last   netip.Addr

	mu   sync.Mutex
	used map[netip.Addr]struct{}
	// low has no free address below it.
	low netip.Addr
}

const reservedAtStart = 4

// NewPool makes a pool of the addresses in prefix. The error says that prefix
// is not within 127.0.0.0/8, or is smaller than a /29 and so holds none.
func NewPool(prefix netip.Prefix) (*Pool, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, fmt.Errorf("make address pool %s: %w", prefix, err)
	}
	prefix = prefix.Masked()
	first := prefix.Addr()
	for range reservedAtStart {
		first = first.Next()
	}
	return &Pool{
		prefix: prefix,
		first:  first,
		last:   lastBefore(prefix),
		used:   map[netip.Addr]struct{}{},
		low:    first,
	}, nil
}

func checkPrefix(prefix netip.Prefix) error {
	if !prefix.IsValid() || !prefix.Addr().Is4() || !prefix.Addr().IsLoopback() || prefix.Bits() < 8 {
		return errors.New("not within 127.0.0.0/8")
	}
	if prefix.Bits() > 29 {
		return errors.New("smaller than a /29, all its addresses are reserved")
	}
	return nil
}

// lastBefore is the highest address of prefix but one.
func lastBefore(prefix netip.Prefix) netip.Addr {
	b := prefix.Addr().As4()
	for bit := prefix.Bits(); bit < 31; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(b)
}

// Take hands out the lowest free address. The error says that none is free.
func (p *Pool) Take() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for a := p.low; a.Compare(p.last) <= 0; a = a.Next() {
		if _, taken := p.used[a]; taken {
			continue
		}
		p.used[a] = struct{}{}
		p.low = a.Next()
		return a, nil
	}
	return netip.Addr{}, fmt.Errorf("take address of %s: all %d are in use", p.prefix, len(p.used))
}

// Release gives an address back. An address that is not in use is ignored.
func (p *Pool) Release(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, taken := p.used[a]; !taken {
		return
	}
	delete(p.used, a)
	if a.Less(p.low) {
		p.low = a
	}
}

// InUse is the number of addresses handed out and not released.
func (p *Pool) InUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.used)
}
