package ec2

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// FuzzRead: an answer is read or an error, and an answer with the status of an error is an error of the API.
func FuzzRead(f *testing.F) {
	f.Add("<r><securityGroupInfo><item><groupId>sg-1</groupId><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort></item></ipPermissions></item></securityGroupInfo></r>", 200)
	f.Add("<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error></Errors></Response>", 503)
	f.Add("<r><networkAclSet><item><entrySet><item><portRange><from>x</from></portRange></item></entrySet></item></networkAclSet></r>", 200)
	f.Add("", 400)
	f.Fuzz(func(t *testing.T, body string, status int) {
		var out struct {
			Groups []SecurityGroup `xml:"securityGroupInfo>item"`
			ACLs   []NetworkACL    `xml:"networkAclSet>item"`
		}
		err := read(&smithyhttp.Response{Response: &http.Response{StatusCode: status, Status: "status", Body: io.NopCloser(strings.NewReader(body))}}, &out)
		var api smithy.APIError
		if status >= 300 && (!errors.As(err, &api) || api.ErrorCode() == "") {
			t.Errorf("status %d: %v", status, err)
		}
	})
}
