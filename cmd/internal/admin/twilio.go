package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller"
)

// Twilio is what a bot that was written for Twilio needs of its REST API: to hang up.
type Twilio struct {
	// Accounts are the accounts of the plans in effect, asked at every request. Its error is that a
	// token can't be read: the other accounts come beside it.
	Accounts func() ([]Account, error)
	// CallSID is a call's ID as Twilio's bots are told it.
	CallSID func(id string) string
	// HangUp has a running call hung up; false if it does not run.
	HangUp func(id string) bool
}

// Account is that of a plan whose bots are Twilio's.
type Account struct {
	// Plan is the plan's name: a bot may hang up the calls of its own plans.
	Plan string
	// SID is AC and 32 hexadecimal digits.
	SID string
	// Token is the password.
	Token string
}

// twilioPath begins the paths of Twilio's REST API, which has a password of its own.
const twilioPath = "/2010-04-01/"

// twilioCall is the part of Twilio's resource of a call that is known here.
type twilioCall struct {
	SID        string `json:"sid"`
	AccountSID string `json:"account_sid"`
	APIVersion string `json:"api_version"`
	Direction  string `json:"direction"`
	From       string `json:"from"`
	To         string `json:"to"`
	Status     string `json:"status"`
	StartTime  string `json:"start_time"`
	URI        string `json:"uri"`
}

// twilioError is Twilio's body of an answer that is no success.
type twilioError struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

// hangUpCall serves POST /2010-04-01/Accounts/{account}/Calls/{call}.json with Status=completed, or canceled,
// which is the same here. The SIDs come back as they were asked.
func (s *Server) hangUpCall(w http.ResponseWriter, r *http.Request) {
	sid, isJSON := strings.CutSuffix(r.PathValue("call"), ".json")
	plans, err := s.authenticate(r)
	if len(plans) == 0 {
		s.refuseTwilio(r, err)
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		answerTwilio(w, http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	status := r.PostFormValue("Status")
	call, runs := s.twilioCall(sid, plans)
	switch {
	case !isJSON || !runs:
		answerTwilio(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	case status != "completed" && status != "canceled":
		answerTwilio(w, http.StatusBadRequest, 20001, "Status must be completed or canceled: tapdeck's calls can be hung up, and nothing else")
	case !s.Twilio.HangUp(call.UUID): // it has ended a moment ago
		answerTwilio(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	default:
		s.Log.Info("call hung up by its bot", zap.String("call", call.UUID), zap.String("peer", r.RemoteAddr))
		writeJSON(w, twilioCall{
			SID: sid, AccountSID: r.PathValue("account"), APIVersion: "2010-04-01", Direction: "inbound", From: call.Caller, To: call.Destination,
			Status: "completed", StartTime: call.Started.UTC().Format(time.RFC1123Z), URI: r.URL.Path,
		})
	}
}

// authenticate returns the plans whose account and token a request has, none if it has none. How
// long it takes says nothing of a token.
func (s *Server) authenticate(r *http.Request) (plans []string, err error) {
	sid, token, ok := r.BasicAuth()
	if !ok { // strangers' requests don't have the tokens read
		return nil, nil
	}
	accounts, err := s.Twilio.Accounts()
	given := sha256.Sum256([]byte(token))
	for _, account := range accounts {
		want := sha256.Sum256([]byte(account.Token))
		isToken := subtle.ConstantTimeCompare(given[:], want[:]) == 1
		if isToken && sid != "" && strings.EqualFold(sid, account.SID) && strings.EqualFold(r.PathValue("account"), account.SID) && account.Token != "" {
			plans = append(plans, account.Plan)
		}
	}
	return plans, err
}

// twilioCall finds the running call with this SID among those of the plans.
func (s *Server) twilioCall(sid string, plans []string) (controller.Info, bool) {
	for _, call := range slices.Backward(s.Calls.Calls()) {
		if slices.Contains(plans, call.Info.Plan) && strings.EqualFold(s.Twilio.CallSID(call.Info.UUID), sid) {
			return call.Info, true
		}
	}
	return controller.Info{}, false
}

// refuseTwilio logs a request without the right password.
func (s *Server) refuseTwilio(r *http.Request, err error) {
	hint := "does the bot have the plan's account_sid and the token of its twilio_auth_token_file?"
	if err != nil {
		hint = "make the token's file readable; until then its bots can't hang up by REST"
	}
	s.Log.Warn("hangup by REST refused", zap.String("peer", r.RemoteAddr), zap.NamedError("err", err), zap.String("hint", hint),
		zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: "twilio"})
}

func answerTwilio(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(twilioError{Code: code, Message: message, MoreInfo: fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), Status: status})
}
