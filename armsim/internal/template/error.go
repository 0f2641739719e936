package template

import "fmt"

// Error is what is wrong with a template, in Azure's words where they are known.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func invalid(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }
