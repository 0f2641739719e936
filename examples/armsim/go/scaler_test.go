package scaler

import (
	"net/http"
	"testing"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestScaleUp has a scale set grow in virtual time, and Azure refuse it once.
func TestScaleUp(t *testing.T) {
	s := armsim.Start(t, armsim.Config{Virtual: true, NoMachines: true, Boot: armsim.Duration{Median: time.Minute}})
	set, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "web", Capacity: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Hour)

	// Your client: it needs s.Endpoint, s.Client() and s.Env(), as any of Azure's.
	resize := func(n int) error {
		return s.Do(t.Context(), http.MethodPatch, set, "2024-07-01", map[string]any{"sku": map[string]any{"capacity": n}})
	}
	err = s.AddFaults(armsim.Fault{Operation: "VirtualMachineScaleSets_Update", Times: 1, Effect: armsim.Effect{
		Error: &armsim.ErrorResponse{Status: http.StatusTooManyRequests, RetryAfter: 7}}})
	if err != nil {
		t.Fatal(err)
	}
	if resize(3) == nil {
		t.Fatal("the first request must be throttled")
	}
	if err := resize(3); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Hour) // until the instances run
	if got := s.Stats(); got.Running != 3 || len(got.NotSimulated) > 0 {
		t.Fatalf("running %d, not simulated %v", got.Running, got.NotSimulated)
	}
}
