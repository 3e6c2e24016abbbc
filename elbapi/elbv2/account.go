package elbv2

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/elbapi"
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

// limit returns a quota, or otherwise where there is none of that name.
func limit(name string, otherwise int) int {
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

func describeAccountLimits(_ *elbapi.Call, in *describeAccountLimitsInput) (*describeAccountLimitsOutput, error) {
	place := make(map[string]string)
	for i, l := range limits() {
		place[l.Name] = strconv.Itoa(1000 + i)
	}
	all, next, err := page(limits(), func(l Limit) string { return place[l.Name] }, in.Marker, in.PageSize, 400)
	return &describeAccountLimitsOutput{all, next}, err
}

func compare(a, b string) int { return strings.Compare(a, b) }
