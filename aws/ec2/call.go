package ec2

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	serviceID   = "EC2"
	signingName = "ec2"
	version     = "2016-11-15"
	maxAnswer   = 16 << 20 // bytes
)

// call sends one request, with retries, and reads the answer into out.
func (c *Client) call(ctx context.Context, action string, v url.Values, out any) error {
	v.Set("Action", action)
	v.Set("Version", version)
	body := []byte(v.Encode())
	stack := middleware.NewStack(action, smithyhttp.NewStackRequest)
	err := c.assemble(stack, action, body, out)
	if err == nil {
		_, _, err = middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(c.config.HTTPClient), stack).Handle(ctx, nil)
	}
	if err != nil {
		return &smithy.OperationError{ServiceID: serviceID, OperationName: action, Err: err}
	}
	return nil
}

// assemble puts the steps of a request together as AWS's own packages do, so that what a configuration adds finds its place.
func (c *Client) assemble(stack *middleware.Stack, action string, body []byte, out any) error {
	steps := []error{
		stack.Initialize.Add(&awsmiddleware.RegisterServiceMetadata{ServiceID: serviceID, SigningName: signingName, Region: c.config.Region, OperationName: action}, middleware.Before),
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("OperationSerializer", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
			middleware.SerializeOutput, middleware.Metadata, error) {
			if err := c.fill(in.Request.(*smithyhttp.Request), body); err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			req, err := in.Request.(*smithyhttp.Request).SetStream(bytes.NewReader(body))
			if err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			in.Request = req
			return next.HandleSerialize(ctx, in)
		}), middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Signing", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
			middleware.FinalizeOutput, middleware.Metadata, error) {
			if err := c.sign(ctx, in.Request.(*smithyhttp.Request).Request, body); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			return next.HandleFinalize(ctx, in)
		}), middleware.After),
		retry.AddRetryMiddlewares(stack, retry.AddRetryMiddlewaresOptions{Retryer: c.retryer()}),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("OperationDeserializer", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
			middleware.DeserializeOutput, middleware.Metadata, error) {
			got, metadata, err := next.HandleDeserialize(ctx, in)
			if err != nil {
				return got, metadata, err
			}
			return got, metadata, read(got.RawResponse.(*smithyhttp.Response), out)
		}), middleware.After),
	}
	for _, err := range steps {
		if err != nil {
			return err
		}
	}
	for _, f := range c.config.APIOptions {
		if err := f(stack); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) retryer() aws.Retryer {
	if c.config.Retryer != nil {
		return c.config.Retryer()
	}
	return retry.NewStandard()
}

// fill addresses the request.
func (c *Client) fill(r *smithyhttp.Request, body []byte) error {
	u, err := url.Parse(c.endpoint())
	if err != nil {
		return fmt.Errorf("endpoint of EC2: %w", err)
	}
	r.Method, r.URL, r.ContentLength = http.MethodPost, u, int64(len(body))
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return nil
}

// domains are those of the partitions, by how their regions begin. Source: partitions.json of the AWS SDKs.
var domains = []struct{ region, domain string }{
	{"cn-", "amazonaws.com.cn"}, {"eusc-", "amazonaws.eu"}, {"us-isob-", "sc2s.sgov.gov"}, {"us-isof-", "csp.hci.ic.gov"}, {"eu-isoe-", "cloud.adc-e.uk"}, {"us-iso-", "c2s.ic.gov"}, {"", "amazonaws.com"},
}

// endpoint is the one of the configuration or the environment, or else AWS's of the region.
func (c *Client) endpoint() string {
	if named := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_EC2"), aws.ToString(c.config.BaseEndpoint)); named != "" {
		return named
	}
	for _, d := range domains {
		if strings.HasPrefix(c.config.Region, d.region) {
			return "https://ec2." + c.config.Region + "." + d.domain
		}
	}
	return ""
}

func (c *Client) sign(ctx context.Context, r *http.Request, body []byte) error {
	if c.config.Credentials == nil {
		return fmt.Errorf("no credentials")
	}
	keys, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, keys, r, hex.EncodeToString(sum[:]), signingName, c.config.Region, time.Now())
}

// read decodes an answer, or the error that it is.
func read(r *smithyhttp.Response, out any) error {
	defer r.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	switch {
	case err != nil:
		return &smithyhttp.ResponseError{Response: r, Err: err}
	case len(answer) > maxAnswer:
		return fmt.Errorf("an answer of more than %d MB", maxAnswer>>20)
	case r.StatusCode < 300:
		if err := xml.Unmarshal(answer, out); err != nil {
			return &smithy.DeserializationError{Err: err}
		}
		return nil
	}
	var failed struct {
		Code    string `xml:"Errors>Error>Code"`
		Message string `xml:"Errors>Error>Message"`
	}
	if xml.Unmarshal(answer, &failed) != nil || failed.Code == "" {
		failed.Code, failed.Message = "UnknownError", r.Status
	}
	return &smithyhttp.ResponseError{Response: r, Err: &smithy.GenericAPIError{Code: failed.Code, Message: failed.Message}}
}
