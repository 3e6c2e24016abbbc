package elbv2

import (
	"slices"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// TrustStore is a trust store as the API shows it.
type TrustStore struct {
	Name                   string
	TrustStoreArn          string
	Status                 string
	NumberOfCaCertificates *int
	TotalRevokedEntries    *int64
}

type describeTrustStoresInput struct {
	TrustStoreArns []string
	Names          []string
	Marker         string
	PageSize       *int `query:"min=1,max=400"`
}

type describeTrustStoresOutput struct {
	TrustStores []TrustStore
	NextMarker  string
}

func describeTrustStores(c *elbapi.Call, in *describeTrustStoresInput) (*describeTrustStoresOutput, error) {
	if len(in.TrustStoreArns) > 0 && len(in.Names) > 0 {
		return nil, query.Invalid("Trust store names and trust store ARNs cannot be specified at the same time")
	}
	return elbapi.View(c, func(r *store.Region) (*describeTrustStoresOutput, error) {
		l := r.TrustStores
		if in.TrustStoreArns != nil || in.Names != nil {
			l = nil
			for _, t := range r.TrustStores {
				if slices.Contains(in.TrustStoreArns, t.ARN) || slices.Contains(in.Names, t.Name) {
					l = append(l, t)
				}
			}
			for _, name := range in.Names {
				if !slices.ContainsFunc(l, func(t *store.TrustStore) bool { return t.Name == name }) {
					return nil, query.Fail("TrustStoreNotFound", "Trust store '%s' not found", name)
				}
			}
			for _, arn := range in.TrustStoreArns {
				if !slices.ContainsFunc(l, func(t *store.TrustStore) bool { return t.ARN == arn }) {
					return nil, query.Fail("TrustStoreNotFound", "Trust store '%s' not found", arn)
				}
			}
		}
		l, next, err := query.Page(l, func(t *store.TrustStore) string { return t.ARN }, in.Marker, in.PageSize, 400)
		if err != nil {
			return nil, err
		}
		out := &describeTrustStoresOutput{TrustStores: []TrustStore{}, NextMarker: next}
		for _, t := range l {
			n, revoked := t.CAs, t.Revoked
			out.TrustStores = append(out.TrustStores, TrustStore{t.Name, t.ARN, t.Status, &n, &revoked})
		}
		return out, nil
	})
}
