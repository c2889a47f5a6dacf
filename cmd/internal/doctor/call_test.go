package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
)

// placed is a setup whose switch answers originate with a text, and whose daemon
// shows what page makes of the caller's number.
func placed(t *testing.T, answer string, calls func(caller string) page) (*setup, *peer) {
	t.Helper()
	healthy := healthyAnswers(t)
	p := &peer{answer: func(c string) string {
		if strings.HasPrefix(c, "api originate ") {
			return answer
		}
		if strings.HasPrefix(c, "api uuid_exists ") {
			return "false"
		}
		return healthy(c)
	}}
	l := newSetup(t).through(p)
	l.options.Call = "9999"
	l.calls = func() page { return calls(asked1(p, "origination_caller_id_number=([0-9]+)")) }
	l.tune = func(x *examination) { x.timeouts.poll = time.Millisecond }
	return l, p
}

// asked1 finds something in the originate command that the peer was given.
func asked1(p *peer, pattern string) string {
	for _, command := range p.asked() {
		if found := regexp.MustCompile("^originate .*" + pattern).FindStringSubmatch(command); found != nil {
			return found[1]
		}
	}
	return ""
}

// hungUp says whether the doctor has ended its call.
func hungUp(p *peer) bool {
	asked := p.asked()
	return asked[len(asked)-1] == "uuid_kill "+asked1(p, "origination_uuid=([^,]+)")
}

func running(caller string) page {
	return page{http.StatusOK, fmt.Sprintf(`{"running":[{"call":"3f0c","caller":%q,"step":"listen"}],"ended":[]}`, caller)}
}

func over(fields string) func(caller string) page {
	return func(caller string) page {
		return page{http.StatusOK, fmt.Sprintf(`{"running":[],"ended":[{"call":"0","caller":"1001"},{"call":"3f0c","caller":%q,%s}]}`, caller, fields)}
	}
}

func TestCall(t *testing.T) {
	recording := write(t, 8000, 4*time.Second, pattern(0.1, 0.25))
	looks := 0
	l, p := placed(t, "+OK 3f0c\n", func(caller string) page {
		if looks++; looks < 5 {
			return running(caller)
		}
		return over(fmt.Sprintf(`"result":"completed","plan":"default","mix":"mono","wav":%q,"timeline":{"stream_connected":500,"stop":4510}`, filepath.Base(recording)))(caller)
	})
	l.loaded.Config.Sink.Directory = filepath.Dir(recording)
	waited := ""
	l.options.Progress = func(text string) { waited = text }
	l.expect()
	if hungUp(p) || looks != 5 {
		t.Errorf("%d looks, then %q", looks, p.asked())
	}
	if !strings.HasPrefix(waited, "calling 9999 in context default") {
		t.Errorf("progress %q", waited)
	}
}

func TestCallResults(t *testing.T) {
	for name, tt := range map[string]struct {
		fields, seen, todo string
	}{
		"stream":        {`"result":"stream_failed","err":"no socket"`, "stream_failed: no socket", "curl -i http://127.0.0.1"},
		"broken stream": {`"result":"stream_failed","timeline":{"stream_connected":7}`, "stream_failed", "broke"},
		"misconfigured": {`"result":"misconfigured"`, "misconfigured", "tapdeck dialplan"},
		"refused":       {`"result":"refused"`, "refused", "max_calls"},
		"lost":          {`"result":"switch_lost"`, "switch_lost", "FreeSWITCH closed"},
		"module":        {`"result":"stream_failed","err":"-ERR uuid_audio_stream Command not found!","hint":"mod_audio_stream is not loaded: load it"`, "Command not found", "mod_audio_stream is not loaded: load it"},
		"address":       {`"result":"stream_failed","err":"no socket","hint":"compare sink.advertise and sink.listen; tapdeck doctor tests it"`, "no socket", "compare sink.advertise and sink.listen; from the switch's own machine, does `curl -i http://127.0.0.1"},
		"full":          {`"result":"refused","err":"10 calls run already","hint":"esl.max_calls sets the limit"`, "10 calls run already", "esl.max_calls sets the limit"},
		"hangup":        {`"result":"caller_hangup"`, "caller_hangup", "look for 3f0c"},
	} {
		l, p := placed(t, "+OK x\n", over(tt.fields))
		l.expect(amiss{testCall, Fail, tt.seen, tt.todo})
		if hungUp(p) {
			t.Errorf("%s: hung up an ended call", name)
		}
	}
}

// TestCallNotAnswered is about a call that tapdeck refused before it was answered: what the
// switch says of it names no cause, and the daemon's record does.
func TestCallNotAnswered(t *testing.T) {
	looks := 0
	l, p := placed(t, "-ERR NORMAL_CLEARING\n", func(caller string) page {
		if looks++; looks < 3 {
			return running(caller)
		}
		return over(`"result":"misconfigured","err":"Socket-Mode \"static\"","hint":"write 127.0.0.1:8084 async full"`)(caller)
	})
	l.expect(amiss{testCall, Fail, `ended with misconfigured: Socket-Mode "static"`, "write 127.0.0.1:8084 async full"})
	if looks != 3 || hungUp(p) {
		t.Errorf("%d looks, then %q", looks, p.asked())
	}
}

func TestCallNotPlaced(t *testing.T) {
	for answer, todo := range map[string]string{
		"-ERR NO_ROUTE_DESTINATION\n":      "tapdeck dialplan",
		"-ERR CHAN_NOT_IMPLEMENTED\n":      "mod_loopback",
		"-ERR NORMAL_CLEARING\n":           "does it run",
		"-ERR NORMAL_TEMPORARY_FAILURE\n":  "slots free",
		"-ERR DESTINATION_OUT_OF_ORDER\n":  "log says why",
		"-ERR originate Command not found": "log says why",
		"":                                 "log says why",
	} {
		l, _ := placed(t, answer, running)
		tune := l.tune
		l.tune = func(x *examination) {
			tune(x)
			x.timeouts.unanswered = 10 * time.Millisecond
		}
		l.expect(amiss{testCall, Fail, strings.TrimSpace(answer), todo})
	}
}

// TestCallUnseen is about a call that is up, and that the daemon does not tell the
// end of: the doctor ends it.
func TestCallUnseen(t *testing.T) {
	always := func(code int, body string) func(string) page {
		return func(string) page { return page{code, body} }
	}
	for name, tt := range map[string]struct {
		calls      func(string) page
		tune       func(*timeouts)
		seen, todo string
	}{
		"elsewhere":  {always(http.StatusOK, `{"running":[],"ended":[]}`), func(p *timeouts) { p.appear = 50 * time.Millisecond }, "knows nothing of it", "answers by itself"},
		"no page":    {always(http.StatusNotFound, "no"), nil, "404 Not Found", "admin.listen"},
		"garbage":    {always(http.StatusOK, "<html>"), nil, "decode calls", "admin.listen"},
		"never over": {running, func(p *timeouts) { p.call = 300 * time.Millisecond }, "not over after 300ms", "tapdeck calls"},
	} {
		t.Run(name, func(t *testing.T) {
			l, p := placed(t, "+OK x\n", tt.calls)
			change(l, func(p *config.Plan) {
				p.AnswerPause, p.Tone.Duration, p.Listen = 0, 0, 0
			})
			tune := l.tune
			l.tune = func(x *examination) {
				if tune(x); tt.tune != nil {
					tt.tune(&x.timeouts)
				}
			}
			l.expect(amiss{testCall, Fail, tt.seen, tt.todo})
			if !hungUp(p) {
				t.Errorf("the call is left up: %q", p.asked())
			}
		})
	}
}

func TestCallNeverAnswered(t *testing.T) {
	for reply, seen := range map[string]string{silence: "was not answered within 300ms", hangUp: "the connection was closed while it was placed"} {
		l, _ := placed(t, reply, running)
		l.tune = func(x *examination) {
			if reply == silence {
				x.timeouts.originate, x.timeouts.reach, x.timeouts.unanswered = 300*time.Millisecond, 300*time.Millisecond, time.Millisecond
			}
		}
		l.expect(amiss{testCall, Fail, seen, ""})
	}
}

func TestCallCancelled(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	l, p := placed(t, "+OK x\n", func(caller string) page {
		cancel(cause)
		return running(caller)
	})
	healthy, err := l.examine(ctx)
	if healthy || !errors.Is(err, cause) {
		t.Errorf("%v, %v", healthy, err)
	}
	if !hungUp(p) {
		t.Errorf("the call is left up: %q", p.asked())
	}
}

// TestCallLeavesNothing places a call through the simulated switch to what answers
// by itself: no channel is left.
func TestCallLeavesNothing(t *testing.T) {
	l := newSetup(t)
	l.facts.Extensions = append(l.facts.Extensions, switchsim.Extension{
		Name: "talker", Number: "9995",
		Actions: []switchsim.Action{{Application: "answer"}, {Application: "sleep", Data: "3600000"}},
	})
	l.options.Call = "9995"
	l.calls = func() page { return page{http.StatusOK, `{}`} }
	l.tune = func(x *examination) { x.timeouts.appear, x.timeouts.poll = 50*time.Millisecond, time.Millisecond }
	l.expect(amiss{testCall, Fail, "knows nothing of it", "answers by itself"})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		l.sw.Wait()
	}()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	select {
	case <-gone:
	case <-limit.C:
		t.Error("the call is left up")
	}
}
