package armsim

import "fmt"

// ShareLimits has a neighbour use up a share of the subscription's request limits
// from now on: Compute's of the subscription and Resource Manager's hold, and
// refill, only what is left. What a single resource has is not shared. 0 ends it;
// the error says that taken is not from 0 to below 1. Without Config.Throttle
// only the counts in headers fall.
func (s *Server) ShareLimits(taken float64) error {
	if !(taken >= 0 && taken < 1) {
		return fmt.Errorf("share request limits: taken %v: it must be from 0 to below 1", taken)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.front.ShareLimitsLocked(taken)
	return nil
}
