package simulate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	smithycbor "github.com/aws/smithy-go/encoding/cbor"
)

func FuzzCBOR(f *testing.F) {
	f.Add(encodeCBOR(tree{"Namespace": "AWS/ELB", "N": int64(-3), "L": []any{1.5, true, nil}, "At": time.Unix(1763630043, 0), "T": tree{"x": "y"}}))
	f.Add([]byte("\xbf\x61a\x9f\x01\x02\xff\x61b\x7f\x61x\x61y\xff\xff"))
	f.Add(bytes.Repeat([]byte{0x81}, 1000))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := decodeCBOR(b)
		if err != nil {
			return
		}
		again, err := decodeCBOR(encodeCBOR(in))
		if err != nil {
			t.Fatalf("%x is read as %v, and not once written", b, in)
		}
		if len(again) > len(in) {
			t.Fatalf("%v became %v", in, again)
		}
		if len(b) > 0 {
			if _, err := smithycbor.Decode(encodeCBOR(in)); err != nil {
				t.Fatalf("AWS's decoder does not read what is written of %v: %v", in, err)
			}
		}
	})
}

func TestHalf(t *testing.T) {
	for n, want := range map[uint16]float64{0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: math.Ldexp(1, -24), 0x7c00: math.Inf(1)} {
		if got := half(n); got != want {
			t.Errorf("%x is %v, want %v", n, got, want)
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add("Action=X&Filter.1.Name=a&Filter.1.Value.1=b&L.member.2=x&L.member.1=y&E.entry.1.key=k")
	f.Add("1=a&2=b&member=c&member.1=d&a.b=c&a=d")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		if in, err := parseForm(form); err == nil && in == nil {
			t.Fatal("neither parameters nor an error")
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte("<R><A><member>x</member><member><B>1</B></member></A></R>"))
	f.Fuzz(func(t *testing.T, b []byte) { asEvent("", readXML(b)) })
}

// FuzzUnsigned sends whatever to the handler: without a signature nothing but an error comes back.
func FuzzUnsigned(f *testing.F) {
	f.Add("POST", "/", "AWS4-HMAC-SHA256 Credential=testing/20261120/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=00", "X.Y", []byte("\xa0"))
	f.Add("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", "", "", []byte{})
	c, err := New(State{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, authorization, target string, body []byte) {
		at, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Method, r.URL = method, at
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Target", target)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= 500 {
			t.Fatalf("status %d", w.Code)
		}
	})
}

// FuzzState reads states: what is taken can be saved, and is taken again.
func FuzzState(f *testing.F) {
	for _, region := range []string{
		`"load_balancers": [{"name": "a", "type": "classic", "listeners": [{"port": 443, "protocol": "SSL", "certificates": ["arn:aws:iam::111122223333:server-certificate/a"], "policies": ["b"]}], "classic": {"policies": [{"name": "b", "type": "SSLNegotiationPolicyType", "attributes": [{"name": "Reference-Security-Policy", "value": "ELBSecurityPolicy-2015-05"}]}]}}]`,
		`"load_balancers": [{"name": "a", "type": "network", "arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/a/0123456789abcdef", "listeners": [{"port": 1, "protocol": "TLS"}]}]`,
		`"load_balancers": [{"name": "a", "type": "application", "listeners": [null]}], "target_groups": [null], "trust_stores": [null]`,
		`"metrics": [{"namespace": "a", "metric": "b", "every": 60, "hours": 1, "values": [1]}, {"namespace": "a", "metric": "b", "points": [{"at": "2026-11-20T00:00:00Z", "sum": 1}]}]`,
		`"certificates": [{"CertificateArn": "a", "NotAfter": "2026-11-20T00:00:00Z"}], "security_groups": [{"GroupId": "a", "IpPermissions": [{"FromPort": 1.5}]}]`,
	} {
		f.Add([]byte(`{"accounts": [{"id": "111122223333", "roles": [{"name": "r"}], "regions": {"eu-west-1": {` + region + `}}}]}`))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadState(b)
		if err != nil {
			return
		}
		c, err := New(s)
		if err != nil {
			return
		}
		again, err := c.State()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(again); err != nil {
			t.Fatalf("what was saved is not taken: %v", err)
		}
	})
}

// FuzzSigned sends whatever, well signed, to each service: it is done or refused, and never the service's own fault.
func FuzzSigned(f *testing.F) {
	services := []string{"sts", "ec2", "acm", "iam", "monitoring", "cloudtrail", "elasticloadbalancing"}
	for i, body := range []string{
		"Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::444455556666:role/parley-reader&RoleSessionName=me&DurationSeconds=900",
		"Action=DescribeSecurityGroups&Version=2016-11-15&GroupId.1=sg-1&Filter.1.Name=group-name&Filter.1.Value.1=w*&MaxResults=5",
		`{"CertificateStatuses": ["ISSUED"], "Includes": {"keyTypes": ["RSA_2048"]}, "MaxItems": 1, "SortBy": "CREATED_AT"}`,
		"Action=GetServerCertificate&Version=2010-05-08&ServerCertificateName=old",
		"Action=GetMetricData&Version=2010-08-01&StartTime=2026-11-20T00:00:00Z&EndTime=2026-11-21T00:00:00Z&MetricDataQueries.member.1.Id=m&MetricDataQueries.member.1.MetricStat.Period=60&MetricDataQueries.member.1.MetricStat.Stat=Sum&MetricDataQueries.member.1.MetricStat.Metric.Namespace=x",
		`{"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x"}], "StartTime": 1763630043, "MaxResults": 2}`,
		"Action=SetLoadBalancerPoliciesOfListener&Version=2012-06-01&LoadBalancerName=legacy&LoadBalancerPort=443&PolicyNames.member.1=own",
	} {
		f.Add(byte(i), "", body)
	}
	f.Add(byte(2), "CertificateManager.ListCertificates", "{}")
	f.Add(byte(5), "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", `{"MaxResults": 1e300}`)
	f.Add(byte(4), "cbor", string(encodeCBOR(tree{"Namespace": "n", "MetricData": []any{tree{"MetricName": "m", "Value": 1.5, "Timestamp": time.Unix(1763630043, 0)}}})))
	s, err := ReadState([]byte(strings.NewReplacer("LAST-WEEK", "2026-11-20T00:00:00Z", "YESTERDAY", "2026-11-27T00:00:00Z").Replace(shop)))
	if err != nil {
		f.Fatal(err)
	}
	c, err := New(s)
	if err != nil {
		f.Fatal(err)
	}
	signer := v4.NewSigner()
	f.Fuzz(func(t *testing.T, service byte, target, body string) {
		name := services[int(service)%len(services)]
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
		switch target {
		case "":
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		case "cbor":
			r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
			r.URL.Path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
		default:
			if strings.ContainsFunc(target, func(c rune) bool { return c < '!' || c > '~' }) {
				return
			}
			r.Header.Set("X-Amz-Target", target)
		}
		sum := sha256.Sum256([]byte(body))
		if err := signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "testing", SecretAccessKey: "testing"}, r, hex.EncodeToString(sum[:]), name, "eu-south-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), "SignatureDoesNotMatch") {
			t.Fatalf("%s %q %q: status %d, %s", name, target, body, w.Code, w.Body)
		}
	})
}
