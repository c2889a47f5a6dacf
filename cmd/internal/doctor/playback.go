package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
)

// playbackCheck is the name of the check that plays what a bot of the doctor's own says.
const playbackCheck = "test playback"

// conversationPlan is the plan of the doctor's own conversation; %s is its bot.
const conversationPlan = `
plans:
  default:
    answer_pause: 0s
    tone: {duration: 0s}
    prompt: ""
    listen: 15s
    stream: {mix: stereo, restarts: 0}
    agent: {url: %q, format: pcm, reconnect: 0}
`

// playback has a bot of the doctor's own talk with a channel of the switch that is nobody's, by the
// daemon's own parts on ports of their own, and looks for what it has said in what the channel has
// played: the right channel of the recording.
func (x *examination) playback(ctx context.Context) {
	if x.Call == "" || !x.talks() {
		return
	}
	method := x.Loaded.Config.Player.Controller().Method
	x.Progress(fmt.Sprintf("having FreeSWITCH play what a bot says, by the player's method %s", method))
	dir, err := os.MkdirTemp("", "tapdeck-doctor-")
	if err != nil {
		x.report(Unknown, playbackCheck, "make room in the folder for temporary files", "%v", err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	record, err := x.ownConversation(ctx, dir)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		x.report(Unknown, playbackCheck, "FreeSWITCH must reach ports of this machine that are free, as those of esl.listen and sink.advertise; a call with a bot that greets proves as much", "%v", err)
	default:
		x.hearTone(record, dir, string(method))
	}
}

// talks says whether any plan has a bot.
func (x *examination) talks() bool {
	for _, plan := range x.plans {
		if len(agents(plan.Steps)) > 0 {
			return true
		}
	}
	return false
}

// hearTone looks for the bot's tone in what the switch has played.
func (x *examination) hearTone(r *callview.Record, dir, method string) {
	if r.Agent == nil || r.Agent.Connects == 0 || r.WAV == "" {
		x.report(Unknown, playbackCheck, x.recordHint(r), "the doctor's own call ended with %s%s, before its bot could speak", r.Result, because(r.Err))
		return
	}
	const right = 1
	format, pcm, err := callview.ReadWAV(filepath.Join(dir, filepath.FromSlash(r.WAV)))
	if err == nil && format.Channels == 2 && search(channel(format, pcm, right), format.SampleRate).there {
		x.pass(playbackCheck, "FreeSWITCH plays what a bot says, by the player's method %s, %s after it was said", method, added(r))
		return
	}
	todo := "is this build of mod_audio_stream 1.0.0 or newer? Older ones name no audio; else name a folder in player.directory that both see"
	if method == config.MethodFiles {
		todo = "may FreeSWITCH's user read the files in player.directory?"
	}
	x.report(Fail, playbackCheck, todo+"; "+seeLog, "FreeSWITCH did not play the tone that a bot said, by the player's method %s (it played %d utterances)", method, len(r.Agent.Utterances))
}

// added is the time from the bot's first audio until it was heard.
func added(r *callview.Record) string {
	if r.Agent.FirstAudioMS == nil || len(r.Agent.Utterances) == 0 {
		return "an unknown time"
	}
	return fmt.Sprintf("%d ms", r.Agent.Utterances[0].FromMS-*r.Agent.FirstAudioMS)
}

// ownConversation runs the daemon's parts for one call of the switch, and returns its record.
func (x *examination) ownConversation(ctx context.Context, dir string) (*callview.Record, error) {
	bot, err := startToneBot(ctx)
	if err != nil {
		return nil, err
	}
	defer bot.Close()
	loaded, err := x.ownConfig(bot.URL(), dir)
	if err != nil {
		return nil, err
	}
	l, err := app.Listen(ctx, loaded.Config, nil)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	l.Advertise(&loaded.Config.Sink)
	d, err := app.New(loaded, zap.NewNop(), zap.NewAtomicLevel())
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running, l, nil) }()
	defer func() { stop(); <-ended }()
	return x.placeOwn(ctx, l)
}

// ownConfig is that of the doctor's own daemon: the daemon's own but for its ports, folder and plans.
func (x *examination) ownConfig(bot, dir string) (*config.Loaded, error) {
	loaded, err := config.Parse("", fmt.Appendf(nil, conversationPlan, bot), config.Options{})
	if err != nil {
		return nil, err
	}
	own, theirs := &loaded.Config, x.Loaded.Config
	own.ESL, own.Sink, own.Player = theirs.ESL, theirs.Sink, theirs.Player
	own.ESL.Listen, own.Sink.Listen, own.Admin.Listen = anyPort(own.ESL.Listen), anyPort(own.Sink.Listen), "127.0.0.1:0"
	scheme, address, _ := strings.Cut(own.Sink.Advertise, "://")
	own.Sink.Advertise = scheme + "://" + anyPort(address)
	own.Sink.Directory, own.Sink.MinFree = dir, 0
	return loaded, nil
}

// anyPort is an address with port 0 in place of its own, or none.
func anyPort(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	return net.JoinHostPort(host, "0")
}

// placeOwn places a call to the doctor's own daemon and waits for its record.
func (x *examination) placeOwn(ctx context.Context, l app.Listeners) (*callview.Record, error) {
	id := uuid.NewString()
	host, _, _ := net.SplitHostPort(x.Hosts[0])
	_, port, _ := net.SplitHostPort(l.ESL.Addr().String())
	to := callview.Dialable(net.JoinHostPort(host, port))
	answer, err := x.query(ctx, fmt.Sprintf("originate {origination_uuid=%s,origination_caller_id_number=tapdeck-doctor}null/tapdeck-doctor '&socket(%s async full)'", id, to), x.timeouts.originate)
	if err != nil || !strings.HasPrefix(answer, "+OK") {
		return nil, fmt.Errorf("FreeSWITCH can't place a call of the doctor's own to %s: %s", to, cmp.Or(answer, "no answer"))
	}
	defer x.hangUp(ctx, id)
	return x.followOwn(ctx, id, to, callview.NewClient(l.Admin.Addr().String(), ""))
}

// followOwn waits until the doctor's own call is over.
func (x *examination) followOwn(ctx context.Context, id, to string, client *callview.Client) (*callview.Record, error) {
	limit := time.After(x.timeouts.playback)
	for {
		exists, err := x.query(ctx, "uuid_exists "+id, x.timeouts.answer)
		_, record, notThere := client.Call(ctx, id)
		switch {
		case notThere == nil && record != nil:
			return record, nil
		case err != nil:
			return nil, fmt.Errorf("while the doctor's own call ran: %s", ended(err, x.timeouts.answer))
		case notThere != nil && exists == "false":
			return nil, fmt.Errorf("FreeSWITCH did not reach the doctor's own %s", to)
		}
		select {
		case <-time.After(x.timeouts.poll):
		case <-limit:
			return nil, fmt.Errorf("the doctor's own call was not over after %v", x.timeouts.playback)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
