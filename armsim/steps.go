package armsim

import "context"

// steps are what New does, in order. Time starts last.
func (s *Server) steps() []func() error {
	steps := []func() error{s.config.checkParallel, s.openDir, s.openMachines, s.openIdentity, s.listen}
	if s.config.InProcess {
		steps = []func() error{s.config.checkParallel, s.openMachines, s.openIdentity, s.openInProcess}
	}
	return append(steps, s.openFaults, s.startTime)
}

// openFaults puts the rules and events of Config into force.
func (s *Server) openFaults() error {
	if err := s.AddFaults(s.config.Faults...); err != nil {
		return err
	}
	return s.AddEvents(s.config.Events...)
}

func (s *Server) startTime() error {
	ctx, cancel := context.WithCancel(context.Background())
	s.cleanup = append(s.cleanup, cancel)
	if !s.config.Virtual {
		s.background(func() { s.time.run(ctx) })
	}
	return nil
}
