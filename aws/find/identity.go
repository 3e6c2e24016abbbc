package find

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/parley-tls/parley/aws/account"
)

// identity is what sessions of one account have in common.
type identity struct{ profile, role string }

func identityOf(s *account.Session) identity { return identity{s.Profile, s.Role} }

// identify asks for the account of each identity once. Who may not ask has no account's number in the answer: ARNs have it too.
func identify(ctx context.Context, sessions []*account.Session) map[identity]string {
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids := map[identity]string{}
	asked := map[identity]bool{}
	for _, s := range sessions {
		id := identityOf(s)
		if asked[id] {
			continue
		}
		asked[id] = true
		wg.Go(func() {
			out, err := s.STS().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[id] = aws.ToString(out.Account)
		})
	}
	wg.Wait()
	return ids
}
