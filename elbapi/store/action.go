package store

// Action is what a listener does with a request, in the API's own form: the fields are named as `aws elbv2 describe-listeners`
// prints them, in a store's file too.
type Action struct {
	Type                      string         `query:"required,enum=forward|authenticate-oidc|authenticate-cognito|redirect|fixed-response|jwt-validation"`
	TargetGroupArn            string         `json:",omitempty"`
	AuthenticateOidcConfig    *OIDC          `json:",omitempty"`
	AuthenticateCognitoConfig *Cognito       `json:",omitempty"`
	Order                     *int           `json:",omitempty" query:"min=1,max=50000"`
	RedirectConfig            *Redirect      `json:",omitempty"`
	FixedResponseConfig       *FixedResponse `json:",omitempty"`
	ForwardConfig             *Forward       `json:",omitempty"`
	JwtValidationConfig       *JWTValidation `json:",omitempty"`
}

// Forward spreads requests over target groups.
type Forward struct {
	TargetGroups                []WeightedGroup `json:",omitempty"`
	TargetGroupStickinessConfig *Stickiness     `json:",omitempty"`
}

// WeightedGroup is a target group with its share.
type WeightedGroup struct {
	TargetGroupArn string
	Weight         *int `json:",omitempty" query:"min=0,max=999"`
}

// Stickiness keeps a client at one of the target groups.
type Stickiness struct {
	Enabled         *bool `json:",omitempty"`
	DurationSeconds *int  `json:",omitempty" query:"min=1,max=604800"`
}

// Redirect answers with another address; parts left out stay as they are.
type Redirect struct {
	Protocol   string  `json:",omitempty" pattern:"HTTPS?|#\\{protocol\\}"`
	Port       string  `json:",omitempty"`
	Host       string  `json:",omitempty" query:"min=1,max=128"`
	Path       string  `json:",omitempty" query:"min=1,max=128"`
	Query      *string `json:",omitempty" query:"max=128"`
	StatusCode string  `query:"required,enum=HTTP_301|HTTP_302"`
}

// FixedResponse answers without a target.
type FixedResponse struct {
	MessageBody string `json:",omitempty" query:"max=1024"`
	StatusCode  string `query:"required" pattern:"(2|4|5)\\d\\d"`
	ContentType string `json:",omitempty" query:"max=32"`
}

// OIDC has users sign in at an OpenID Connect provider.
type OIDC struct {
	Issuer                           string            `query:"required"`
	AuthorizationEndpoint            string            `query:"required"`
	TokenEndpoint                    string            `query:"required"`
	UserInfoEndpoint                 string            `query:"required"`
	ClientId                         string            `query:"required"`
	ClientSecret                     string            `json:",omitempty"`
	SessionCookieName                string            `json:",omitempty"`
	Scope                            string            `json:",omitempty"`
	SessionTimeout                   *int64            `json:",omitempty"`
	AuthenticationRequestExtraParams map[string]string `json:",omitempty"`
	OnUnauthenticatedRequest         string            `json:",omitempty" query:"enum=deny|allow|authenticate"`
	UseExistingClientSecret          *bool             `json:",omitempty"`
}

// Cognito has users sign in at an Amazon Cognito user pool.
type Cognito struct {
	UserPoolArn                      string            `query:"required"`
	UserPoolClientId                 string            `query:"required"`
	UserPoolDomain                   string            `query:"required"`
	SessionCookieName                string            `json:",omitempty"`
	Scope                            string            `json:",omitempty"`
	SessionTimeout                   *int64            `json:",omitempty"`
	AuthenticationRequestExtraParams map[string]string `json:",omitempty"`
	OnUnauthenticatedRequest         string            `json:",omitempty" query:"enum=deny|allow|authenticate"`
}

// JWTValidation demands a valid JSON Web Token.
type JWTValidation struct {
	JwksEndpoint     string  `query:"required"`
	Issuer           string  `query:"required"`
	AdditionalClaims []Claim `json:",omitempty"`
}

// Claim is what a token must say.
type Claim struct {
	Format string   `query:"required,enum=single-string|string-array|space-separated-values"`
	Name   string   `query:"required"`
	Values []string `query:"required"`
}

// Targets are the ARNs of the target groups that an action sends to.
func (a *Action) Targets() []string {
	var l []string
	if a.TargetGroupArn != "" {
		l = append(l, a.TargetGroupArn)
	}
	if a.ForwardConfig != nil {
		for _, g := range a.ForwardConfig.TargetGroups {
			if g.TargetGroupArn != a.TargetGroupArn {
				l = append(l, g.TargetGroupArn)
			}
		}
	}
	return l
}
