package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/transcribe"
	"tapdeck/controller/transcript"
	"tapdeck/wav"
)

type transcribeCommand struct {
	configured `embed:""`
	Files      []string          `arg:"" name:"file" help:"Recordings: WAV files of 8000 or 16000 Hz, mono or stereo, PCM, floating point, µ-law or A-law; also one that still runs, UUID.wav.part."`
	Plan       string            `placeholder:"NAME" help:"Ask the service of this plan of the configuration (default: default)."`
	URL        string            `name:"url" placeholder:"URL" help:"Ask this service instead: wss://HOST/PATH, or ws://…"`
	Format     string            `placeholder:"FORMAT" help:"The wire that the service at --url speaks: deepgram or vosk (default: deepgram)."`
	KeyFile    string            `placeholder:"FILE" help:"A file with the key that it is sent."`
	Model      string            `placeholder:"NAME" help:"Which of its models is used."`
	Language   string            `placeholder:"TAG" help:"What is spoken, such as en."`
	Parameter  map[string]string `mapsep:"none" placeholder:"NAME=TEXT" help:"What else it is told; may be repeated."`
	Insecure   bool              `help:"Allow ws:// to addresses that are not private."`
	Speed      float64           `placeholder:"TIMES" help:"How many times as fast as it was spoken audio is sent, 1000 at most (default: what the service accepts: 1.25 of deepgram, as fast as it answers of vosk)."`
	Output     string            `enum:"text,vtt,json" default:"text" help:"What is written: text, a line for each segment as it comes, vtt, the WebVTT of one file, at its end, or json, an object for each segment as it comes (${default})."`
}

// Help explains what the command line alone does not.
func (*transcribeCommand) Help() string {
	return `A service transcribes finished recordings, one after the other, as it does calls, and what was said is written. ` +
		`The left channel is the caller's and the right one the callee's, which deepgram is given, too. Notes and errors go to stderr. ` +
		`The service is that of a plan, or of --url, --format, --key-file, --model, --language, --parameter and --insecure: these are keys of a plan's transcribe, and follow its rules. ` +
		`The exit code is 0 if the service has answered all of the audio that the files hold, 1 if an answer is missing, and 2 if the command line, the configuration or a file is wrong: nothing is sent then. ` +
		`A truncated file counts as far as it goes; a note says how much its header promises beyond that. Ctrl-C ends it; a second one does not wait for whoever reads the words.`
}

// Run has each file transcribed. A service that is lost ends it, as the next file would fare no better.
func (c *transcribeCommand) Run(ctx context.Context, command *kong.Context, p *program) error {
	service, key, err := c.service(p, planFlag(command))
	if err == nil {
		err = c.check(service.Multichannel())
	}
	if err != nil {
		return usage(err)
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	t := newTranscriber(c, p, transcribe.Options{
		Service: service, Key: key, Speed: c.Speed, Log: app.NewLogger(p.Stderr, "console", zap.NewAtomicLevelAt(zap.WarnLevel)),
	})
	var all []error
	for i, path := range c.Files {
		over, err := t.file(ctx, path)
		all = append(all, err)
		if rest := len(c.Files) - i - 1; over && rest > 0 {
			all = append(all, notBegun(rest))
		}
		if over {
			break
		}
	}
	return errors.Join(all...)
}

// notBegun says how many files are left.
func notBegun(files int) error {
	if files == 1 {
		return errors.New("1 more file was not begun")
	}
	return fmt.Errorf("%d more files were not begun", files)
}

// planFlag is the first flag on the command line that is about a plan's service, "" if there is none.
// (TAPDECK_CONFIG in the environment is for other commands, too.)
func planFlag(command *kong.Context) string {
	for _, part := range command.Path {
		if part.Flag != nil && slices.Contains([]string{"config", "set", "plan"}, part.Flag.Name) {
			return "--" + part.Flag.Name
		}
	}
	return ""
}

// service is the one that the command line names, else that of a plan, and its key. planFlag is one that has no
// meaning beside --url.
func (c *transcribeCommand) service(p *program, planFlag string) (service transcript.Service, key string, err error) {
	switch beside := c.besideURL(); {
	case !(c.Speed >= 0 && c.Speed <= 1000):
		err = fmt.Errorf("--speed %v: must be 0 to 1000; 0 is what the service accepts", c.Speed)
	case c.Output == "vtt" && len(c.Files) > 1:
		err = fmt.Errorf("--output vtt: is the WebVTT of one file, and there are %d; run it once for each", len(c.Files))
	case c.URL != "" && planFlag != "":
		err = fmt.Errorf("%s: is about a plan's service, and --url names another one; leave one of the two out", planFlag)
	case c.URL == "" && beside != "":
		err = fmt.Errorf("%s: goes with --url; a plan's service has its own", beside)
	case c.URL != "":
		service, err = config.ParseService(c.keys())
	default:
		service, err = c.planned(p)
	}
	if err == nil {
		key, err = service.Key()
	}
	return service, key, err
}

// planned is the service of a plan.
func (c *transcribeCommand) planned(p *program) (transcript.Service, error) {
	loaded, err := c.load(p, nil)
	if err != nil {
		return transcript.Service{}, err
	}
	name := cmp.Or(c.Plan, config.DefaultPlan)
	plan, ok := loaded.Plan(name)
	switch {
	case !ok:
		err = fmt.Errorf("--plan %q: there is no such plan; there are %q", name, loaded.PlanNames())
	case plan.Transcribe.URL == "":
		err = fmt.Errorf("plan %q: there is no service in it; write transcribe.url there, name another plan with --plan, or a service with --url", name)
	}
	return plan.Transcribe, err
}

// flags are those of a service beside its URL.
func (c *transcribeCommand) flags() (list []flagKey) {
	for _, f := range []flagKey{{"--format", "format", c.Format}, {"--key-file", "key_file", c.KeyFile}, {"--model", "model", c.Model}, {"--language", "language", c.Language}} {
		if f.value != "" {
			list = append(list, f)
		}
	}
	if len(c.Parameter) > 0 {
		list = append(list, flagKey{"--parameter", "parameters", c.Parameter})
	}
	if c.Insecure {
		list = append(list, flagKey{"--insecure", "insecure", true})
	}
	return list
}

// flagKey is a flag that stands for a key of a plan's transcribe.
type flagKey struct {
	flag, key string
	value     any
}

// besideURL is the first flag of a service that has no meaning without --url, "" if there is none.
func (c *transcribeCommand) besideURL() string {
	for _, f := range c.flags() {
		return f.flag
	}
	return ""
}

func (c *transcribeCommand) keys() map[string]any {
	keys := map[string]any{"url": c.URL}
	for _, f := range c.flags() {
		keys[f.key] = f.value
	}
	return keys
}

// check opens each file, so that one that can't be transcribed is known before anything is sent.
func (c *transcribeCommand) check(multichannel bool) error {
	var all []error
	for _, path := range c.Files {
		r, err := transcribe.Open(path, multichannel)
		if err != nil {
			all = append(all, refused(path, err))
			continue
		}
		_ = r.Close()
	}
	return errors.Join(all...)
}

// refused says of a file that can't be transcribed what to do.
func refused(path string, err error) error {
	form := "-r 16000"
	f, is := errors.AsType[*transcribe.FormatError](err)
	switch {
	case is && f.Format.Channels > 2:
		form += " -c 1"
	case is, errors.Is(err, wav.ErrFormat), errors.Is(err, wav.ErrNotWAV) && otherAudio(path):
	case errors.Is(err, wav.ErrNotWAV):
		return fmt.Errorf("%q: %w; name a recording that is a WAV file, and whole", path, err)
	default:
		return fmt.Errorf("%q: %w", path, err)
	}
	return fmt.Errorf("%q: %w; make one of it: %s", path, err, soxLine(path, form, "16k"))
}

// otherAudio reports whether a file begins as one of sound in another form than WAV: MP3, FLAC, Ogg, AIFF, AU or AMR.
func otherAudio(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	begin, _ := io.ReadAll(io.LimitReader(file, 8))
	return slices.ContainsFunc([]string{"ID3", "\xff\xfb", "\xff\xf3", "fLaC", "OggS", "FORM", ".snd", "#!AMR"}, func(form string) bool {
		return strings.HasPrefix(string(begin), form)
	})
}

// transcriber has files transcribed by one service, and writes what comes of it.
type transcriber struct {
	options  transcribe.Options
	words    words
	notes    notes
	progress bool
}

func newTranscriber(c *transcribeCommand, p *program, o transcribe.Options) *transcriber {
	t := &transcriber{options: o, words: words{w: p.Stdout, output: c.Output, several: len(c.Files) > 1, most: maxWords}, notes: notes{w: p.Stderr}}
	t.progress = app.IsTerminal(p.Stderr) && (c.Output == "vtt" || !app.IsTerminal(p.Stdout))
	return t
}

// file has one file transcribed. It returns whether no other is to follow.
func (t *transcriber) file(ctx context.Context, path string) (over bool, err error) {
	r, err := transcribe.Open(path, t.options.Service.Multichannel())
	if err != nil {
		return false, refused(path, err)
	}
	defer func() { _ = r.Close() }()
	t.notes.print(describe(r, t.options.Service.Host()))
	if r.Missing > 0 {
		t.notes.print(fmt.Sprintf("%s: %.3f s of the %.3f s that its header promises are missing: it is a truncated copy", visible(path), r.Missing.Seconds(), (r.Length + r.Missing).Seconds()))
	}
	o := t.options
	o.Said = func(s transcript.Segment) error { return t.words.say(path, s) }
	if t.progress {
		o.Progress = func(read time.Duration) { t.notes.progress(visible(path), read, r.Length) }
	}
	err = transcribe.Run(ctx, r, o)
	t.notes.clear()
	_ = o.Log.Sync()
	failed, is := errors.AsType[*transcribe.Error](err)
	if is {
		err = fmt.Errorf("%s: %s\nhint: %s", visible(path), visible(failed.Error()), visible(failed.Hint))
	}
	over = ctx.Err() != nil || err != nil && (!is || failed.Service)
	return over, errors.Join(err, t.words.end())
}

// describe says what is transcribed, and by whom.
func describe(r *transcribe.Recording, host string) string {
	if r.Length == 0 {
		return fmt.Sprintf("%s: there is no audio in it", visible(r.Path))
	}
	notes := []string{
		fmt.Sprintf("%.3f s", r.Length.Seconds()), fmt.Sprintf("%d Hz", r.Format.SampleRate), strings.Join(r.Channels, " and "), "to " + visible(host),
	}
	if r.Unfinished {
		notes = slices.Insert(notes, 1, "unfinished")
	}
	return visible(r.Path) + ": " + strings.Join(notes, ", ")
}
