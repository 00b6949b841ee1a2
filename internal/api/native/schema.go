package native

import (
	"net/netip"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core/route"
)

// describeText lets the description say of texts of ours what they look like, so
// that it refuses what we refuse.
func describeText(schemas huma.Registry) {
	schemas.RegisterTypeAlias(reflect.TypeFor[route.Duration](), reflect.TypeFor[durationText]())
	schemas.RegisterTypeAlias(reflect.TypeFor[netip.Prefix](), reflect.TypeFor[prefixText]())
}

// durationText stands for route.Duration.
type durationText string

// Schema implements huma.SchemaProvider.
func (durationText) Schema(huma.Registry) *huma.Schema {
	return text(`^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`, "a duration such as 30s or 1m30s", "29s")
}

// prefixText stands for netip.Prefix.
type prefixText string

// Schema implements huma.SchemaProvider.
func (prefixText) Schema(huma.Registry) *huma.Schema {
	return text(`^[0-9a-fA-F.:]+/[0-9]{1,3}$`, "a network such as 192.0.2.0/24", "192.0.2.0/24")
}

func text(pattern, means, example string) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Pattern: pattern, Description: means, Examples: []any{example}}
	s.PrecomputeMessages()
	return s
}
