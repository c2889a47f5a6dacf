package esl

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller/esl/internal/fio"
	"tapdeck/controller/esl/internal/frametest"
)

func TestCall(t *testing.T) {
	result := make(chan error, 1)
	srv := serve(t, testConfig(), func(ctx context.Context, c *Conn) { result <- callOnce(t, ctx, c) })
	p := dialPeer(t, srv.addr)
	p.expect("connect")
	p.say(connectReply)
	p.expect("linger 5")
	p.say("Content-Type: command/reply\nReply-Text: +OK will linger 5 seconds\n\n")
	p.expect("sendmsg")
	p.say(frametest.OKReply)
	p.say(frametest.JSON(`{"Event-Name":"CHANNEL_EXECUTE_COMPLETE","Unique-ID":"u","variable_a":["x","y"]}`))
	cmd, _ := p.command()
	want := "bgapi uuid_audio_stream U start ws://h/p mono 8000\r\nJob-UUID: "
	job, ok := strings.CutPrefix(cmd, want)
	if !ok {
		t.Errorf("command %q, want %q", cmd, want)
	}
	p.say("Content-Type: command/reply\nReply-Text: +OK Job-UUID: " + job + "\nJob-UUID: " + job + "\n\n")
	p.say(frametest.JSON(`{"Event-Name":"BACKGROUND_JOB","Job-UUID":"` + job + `","_body":"-ERR Operation Failed\n"}`))
	p.say("Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 3\n\nbye")
	if err := <-result; !errors.Is(err, ErrPeerClosed) {
		t.Errorf("end: %v, want ErrPeerClosed", err)
	}
	p.eof()
}

// callOnce is the handler of TestCall.
func callOnce(t *testing.T, ctx context.Context, c *Conn) error {
	if names := slices.Collect(c.Channel().Names("VARIABLE_sip_h_")); len(names) != 1 || !strings.EqualFold(names[0], "variable_sip_h_X-Foo") {
		t.Errorf("names: %q", names)
	}
	if got := c.Channel().Get("variable_SIP_h_x-foo"); got != "a b" {
		t.Errorf("variable: %q", got)
	}
	if reply, err := c.Command(ctx, "linger 5"); err != nil || reply != "+OK will linger 5 seconds" {
		t.Errorf("linger: %q, %v", reply, err)
	}
	if _, err := c.Execute(ctx, "playback", "a b.wav"); err != nil {
		t.Errorf("execute: %v", err)
	}
	ev := event(t, c)
	got := []string{ev.Name(), ev.Get("unique-ID"), ev.Get("variable_a"), ev.Get("nothing")}
	if diff := cmp.Diff([]string{"CHANNEL_EXECUTE_COMPLETE", "u", "", ""}, got); diff != "" {
		t.Error(diff)
	}
	job, err := c.BgAPI(ctx, "uuid_audio_stream U start ws://h/p mono 8000")
	if err != nil {
		t.Errorf("bgapi: %v", err)
	}
	if ev = event(t, c); ev.Get("Job-UUID") != job || ev.Body != "-ERR Operation Failed\n" {
		t.Errorf("job %q of %q: %q", ev.Get("Job-UUID"), job, ev.Body)
	}
	if ev = event(t, c); ev.ContentType() != "text/disconnect-notice" || ev.Body != "bye" || ev.Name() != "" {
		t.Errorf("notice: %v", ev)
	}
	return ended(t, c)
}

// A header that Config.Headers does not list was trimmed, or not: to read it is a
// mistake, which a test can't overlook.
func TestUnlistedHeader(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	ev := &Event{header: fio.Header{"Other-Name": "x", "Unique-Id": "u"}, listed: newHeaderList(frametest.CallHeaders, zap.New(core))}
	if ev.Get("unique-id") != "u" || ev.Name() != "" || ev.Subclass() != "" || ev.ContentType() != "" || ev.Get("variable_tapdeck_x") != "" {
		t.Error("a listed header is not as it was sent")
	}
	if all := (&Event{header: ev.header}); all.Get("other-name") != "x" {
		t.Error("without a list every header is there")
	}
	for name, read := range map[string]func(){
		"Get":   func() { ev.Get("Other-Name") },
		"Names": func() { ev.Names("variable_") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			read()
		}()
	}
	for range 3 {
		ev.listed.report("Other-Name")
		ev.listed.report("Another-Name")
	}
	if logs.Len() != 2 || logs.All()[0].ContextMap()["header"] != "Other-Name" || logs.All()[0].ContextMap()["hint"] == nil {
		t.Errorf("lines %v, want one for each name", logs.All())
	}
}
