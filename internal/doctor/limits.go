package doctor

import "fmt"

// checkLimits: what GitLab Runner sets beside the autoscaler may keep instances without
// jobs. request_concurrency is 1 unless it is set (common/config.go).
func checkLimits(s *subject) (found []Finding) {
	a, r, capacity := s.scaler, s.settings, s.scaler.Capacity()
	if a.MaxInstances == 0 {
		found = append(found, warning(s.line(), "max_instances is not set: nothing limits how many instances are paid for but the scale set and the quota", "max_instances = 10"))
	}
	if a.MaxInstances < 0 || a.CapacityPerInstance < 0 || a.MaxUseCount < 0 {
		found = append(found, fault(s.line(), "max_instances, capacity_per_instance and max_use_count cannot be negative", "leave out what is not to be limited"))
	}
	if concurrent := max(1, s.File.Concurrent); concurrent < capacity {
		found = append(found, warning(s.File.Lines.Of("concurrent"), fmt.Sprintf("concurrent = %d: of %d jobs that the instances could run, no more run at once", concurrent, capacity), fmt.Sprintf("concurrent = %d, at the top of the file; it counts for all runners together", capacity)))
	}
	if r.Limit > 0 && r.Limit < capacity {
		found = append(found, warning(s.File.Line(r, "limit"), fmt.Sprintf("limit = %d: of %d jobs that the instances could run, no more run at once", r.Limit, capacity), fmt.Sprintf("limit = %d, or leave it out", capacity)))
	}
	if r.RequestConcurrency <= 1 && capacity > 10 {
		found = append(found, warning(s.File.Line(r, "request_concurrency"), fmt.Sprintf("request_concurrency is 1: jobs are asked for one after the other, for up to %d at once", capacity), "request_concurrency = 4"))
	}
	return found
}
