// Package template reads ARM templates: it evaluates their expressions, and
// finds the resources that they have and in which order these are deployed.
// What surrounds a template, as its resource group and the resources that
// reference() shows, comes from the caller. It imports nothing of this module.
//
// It is no library of others because there is none to import: those in Go are
// internal to scanners of policies (snyk/policy-engine, aquasecurity/trivy), come
// with all of these, and stand in for what they do not know where Azure refuses.
// The language is that of Microsoft's page "Syntax and expressions in ARM
// templates" and of its pages on template functions (read 2026-11).
package template
