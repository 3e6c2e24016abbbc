package elbv2

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

//go:embed data/limits.tsv
var limitData string

// Limit is a quota of an account.
type Limit struct {
	Name string
	Max  string
}

var limits = sync.OnceValue(func() []Limit {
	var l []Limit
	for line := range strings.Lines(limitData) {
		if line[0] == '#' {
			continue
		}
		name, most, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		l = append(l, Limit{name, most})
	}
	return l
})

// limit returns a quota of an account in a region, or otherwise where there is none of that name.
func limit(r *store.Region, name string, otherwise int) int {
	if n, ok := r.Quotas[name]; ok {
		return n
	}
	for _, l := range limits() {
		if l.Name == name {
			n, _ := strconv.Atoi(l.Max) // a test reads them all
			return n
		}
	}
	return otherwise
}

type describeAccountLimitsInput struct {
	Marker   string
	PageSize *int `query:"min=1,max=400"`
}

type describeAccountLimitsOutput struct {
	Limits     []Limit
	NextMarker string
}

func describeAccountLimits(c *elbapi.Call, in *describeAccountLimitsInput) (*describeAccountLimitsOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*describeAccountLimitsOutput, error) {
		place := make(map[string]string)
		all := slices.Clone(limits())
		for i, l := range all {
			place[l.Name] = strconv.Itoa(1000 + i)
			all[i].Max = strconv.Itoa(limit(r, l.Name, 0))
		}
		all, next, err := query.Page(all, func(l Limit) string { return place[l.Name] }, in.Marker, in.PageSize, 400)
		return &describeAccountLimitsOutput{all, next}, err
	})
}
