//go:build tools

// Package tools names the command that Helm is built from, so that `go mod tidy` keeps it.
package tools

import (
	_ "helm.sh/helm/v3/cmd/helm"
)
