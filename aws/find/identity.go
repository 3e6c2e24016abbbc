package find

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
)

// identity is what sessions of one account have in common.
type identity struct{ profile, role string }

func identityOf(s *account.Session) identity { return identity{s.Profile, s.Role} }

// identify asks for the account and partition of each identity once. Who may not ask has no account's number in the answer: ARNs have it too.
func identify(ctx context.Context, sessions []*account.Session) map[identity]elb.Place {
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids := map[identity]elb.Place{}
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
			_, arn, _ := strings.Cut(aws.ToString(out.Arn), ":")
			partition, _, _ := strings.Cut(arn, ":")
			ids[id] = elb.Place{Account: aws.ToString(out.Account), Partition: partition}
		})
	}
	wg.Wait()
	return ids
}
