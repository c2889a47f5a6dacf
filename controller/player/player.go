package player

import (
	"errors"
	"slices"
	"sync"
	"time"

	"tapdeck/controller/pcm"

	"go.uber.org/zap"
)

// Switch is what a player needs of a call. Its methods are called in the goroutine that calls
// Advance; none waits for more than the switch's reply to a command.
type Switch interface {
	// Play has the channel play a file after what it plays, and returns the Event-UUID by which
	// its CHANNEL_EXECUTE_COMPLETE is known.
	Play(file string) (id string, err error)
	// Break ends what plays and drops what waits in the switch, of which no event comes. A Play
	// after it is played whole (F84).
	Break() error
	// Send sends a text message to mod_audio_stream over the call's stream, and keeps text. It does
	// not wait; ErrNoStream says that there is no live stream now.
	Send(text []byte) error
	// Live says whether the call has a live stream now.
	Live() bool
}

// ErrNoStream is what Send returns while the call has no live stream.
var ErrNoStream = errors.New("the call has no live stream")

// Method is how chunks become files that the switch can play.
type Method string

const (
	// MethodStream sends them to mod_audio_stream, which writes them at the switch.
	MethodStream Method = "stream"
	// MethodFiles writes them to Config.Directory.
	MethodFiles Method = "files"
)

// Config is how a call's audio gets to its switch.
type Config struct {
	// Rate is of the chunks, in Hz: 8000 or 16000.
	Rate int
	// Directory is where chunks are written as files that the switch sees by the same path. With
	// MethodStream, it is used once the switch turns out not to take chunks over the stream;
	// "" loses them then.
	Directory string
	// Method is the one to begin with.
	Method Method
	// Limit bounds the audio that waits; 0 is DefaultLimit. Beyond it the oldest is dropped and counted.
	Limit time.Duration
	// Lead is how much audio waits before an utterance begins, at most 1 s; 0 begins at once. Each playback
	// takes 40 ms of what the caller says (F155), and a bot that speaks in real time has its audio
	// played in pieces that are as long as what waits.
	Lead time.Duration
	// Call is the call's id, for the names of files.
	Call string
}

// DefaultLimit is more than a bot says in one breath.
const DefaultLimit = 120 * time.Second

// Player is the queue of one call: what its caller will hear, and in which order.
//
// Play, Mark, File, Clear, Speaking, EndUtterance and State may be called from any goroutine, the other methods by the one
// that runs the call.
type Player struct {
	cfg  Config
	sw   Switch
	log  *zap.Logger
	m    *Metrics
	wake chan struct{}
	due  *time.Timer

	mu         sync.Mutex // guards what follows; not held while sw, a disk or a callback works
	closed     bool
	generation int

	// Audio on its way.
	resampler *pcm.Resampler // nil as long as the bot's rate is the chunks'
	from      int            // rate of what was queued last
	held      bool           // the resampler holds the end of what was queued
	scratch   []byte         // what comes out of the resampler
	queue     queue
	next      *chunk   // cut off the queue, not given to the switch yet
	given     []*chunk // in the order in which they play
	again     []*chunk // taken back, to be given before what is queued, in order
	stale     []*chunk // given before a clear, may still be told of

	// What is due when.
	method   Method
	chunks   int       // numbers them
	files    int       // numbers those of ours; of the call's goroutine
	fresh    bool      // audio came since the last Advance
	freshAt  time.Time // when the last Advance saw some
	cameAt   time.Time // when audio came while nothing waited
	endsAt   time.Time // what is given plays at least until then
	moreBy   time.Time // what waits is too little until then; zero: it is not
	retryAt  time.Time // nothing is cut before
	breakDue bool
	breaks   int       // sent since the latest of the stale ones was given
	staleAt  time.Time // when the stale ones are looked after
	stream   int       // counts those that were connected
	down     bool      // there was no live stream, and Connected was not called since
	named    bool      // the module has named a chunk of the call
	nameless int       // chunks in a row that were lost since they were not named
	// namelessSince is when the first of them was sent.
	namelessSince time.Time
	refused       time.Time     // when the log was told of audio beyond the limit last
	errors        int           // playbacks in a row that ended as errors, unheard
	small         time.Duration // audio in a row in chunks that are short; negative once the log was told

	marks    []mark     // not due, in order
	echoes   []echo     // due
	echoing  bool       // a goroutine calls them
	finished []func()   // what File was given, due
	trash    []string   // files of ours that nobody needs any more
	open     *Utterance // that is being heard, or may go on
	ended    []Utterance
	state    State // counters
}

// New returns the player of a call. Close must be called at its end; m may be nil.
func New(c Config, sw Switch, log *zap.Logger, m *Metrics) *Player {
	if c.Limit == 0 {
		c.Limit = DefaultLimit
	}
	if m == nil {
		m = NewMetrics(nil)
	}
	c.Call = fileName(c.Call)
	due := time.NewTimer(time.Hour)
	due.Stop()
	return &Player{cfg: c, sw: sw, log: log, m: m, wake: make(chan struct{}, 1), due: due, method: c.Method, from: c.Rate}
}

// Wake is where there is something when Advance has something to do at once.
func (p *Player) Wake() <-chan struct{} { return p.wake }

// Due is where there is something when time has made Advance necessary.
func (p *Player) Due() <-chan time.Time { return p.due.C }

func (p *Player) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// pieceBytes is how much audio is queued at a time: the mutex is held for 0.1 ms then.
const pieceBytes = 8 << 10

// Play queues audio: 16-bit little-endian mono, whole samples (an odd last byte is dropped), at
// 8000, 16000 or 24000 Hz. It copies pcm. Another Play at the same time would be mixed up with it.
func (p *Player) Play(pcm []byte, rate int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	generation := p.generation
	if p.idle() {
		p.cameAt = time.Now()
	}
	for pcm = pcm[:len(pcm)&^1]; len(pcm) > 0 && !p.closed && generation == p.generation; {
		n := min(len(pcm), pieceBytes)
		p.enqueue(pcm[:n], rate)
		pcm = pcm[n:]
		p.signal()
		p.mu.Unlock() // a break must not wait for the end of a megabyte
		p.mu.Lock()
	}
}

// idle says that nothing waits, and nothing is played.
func (p *Player) idle() bool {
	return len(p.queue.pieces) == 0 && p.next == nil && len(p.again) == 0 && len(p.given) == 0
}

func (p *Player) enqueue(audio []byte, rate int) {
	if rate != p.from {
		p.flushResampler()
		p.from, p.resampler = rate, nil
		if rate != p.cfg.Rate {
			p.resampler = pcm.NewResampler(rate, p.cfg.Rate)
		}
	}
	if p.resampler != nil {
		p.scratch = p.resampler.Append(p.scratch[:0], audio)
		audio, p.held = p.scratch, true
	}
	p.queue.append(audio)
	p.fresh = true
	p.refuse()
}

// flushResampler queues what the resampler holds.
func (p *Player) flushResampler() {
	if p.held {
		p.scratch = p.resampler.Flush(p.scratch[:0])
		p.queue.append(p.scratch)
		p.held = false
	}
}

// resetResampler forgets what the resampler holds.
func (p *Player) resetResampler() {
	if p.held {
		p.resampler.Reset()
		p.held = false
	}
}

// refuse drops the oldest audio that waits, if there is too much.
func (p *Player) refuse() {
	dropped := p.queue.drop(p.bytes(p.cfg.Limit))
	if dropped == 0 {
		return
	}
	d := p.duration(dropped)
	p.state.Refused += d
	p.m.refused.Add(d.Seconds())
	if now := time.Now(); now.Sub(p.refused) >= time.Second { // a flooding bot has thousands of these
		p.refused = now
		p.log.Warn("bot's audio refused", zap.Duration("limit", p.cfg.Limit), hint(hintRefused), p.ratelog("refused"))
	}
}

// File queues a file, or a file string of FreeSWITCH, which is played whole: it must be safe in a
// command. done, which may be nil, is called in the call's goroutine, or at once after Close.
func (p *Player) File(name string, done func(Played)) {
	if done == nil {
		done = func(Played) {}
	}
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.flushResampler()
		p.queue.add(piece{file: name, done: done})
		p.signal()
	}
	p.mu.Unlock()
	if closed {
		done(Played{})
	}
}

// Clear drops all that was queued and ends what plays. Marks that are not due yet are echoed as
// cleared, before it returns unless another goroutine is echoing; the switch is told by the next Advance.
func (p *Player) Clear() {
	p.mu.Lock()
	if p.speaking() || p.open != nil && p.waits() {
		p.state.Cleared++
	}
	p.breakDue = p.breakDue || len(p.given) > 0
	p.flush()
	p.mu.Unlock()
	p.signal()
	p.echo()
}

// flush forgets all that has not been heard. What the switch may still say of it is stale.
func (p *Player) flush() {
	p.generation++
	p.cutUtterance()
	for _, dropped := range p.queue.clear() {
		p.finish(dropped.done, Played{})
	}
	p.resetResampler()
	for _, c := range p.given {
		p.discard(c)
		c.pcm = nil
		p.stale = append(p.stale, c)
		p.breaks, p.staleAt = 0, time.Time{}
	}
	p.next, p.given, p.again, p.cameAt = nil, nil, nil, time.Time{}
	for _, m := range p.marks {
		p.echoes = append(p.echoes, echo{m.done, true})
	}
	p.marks = nil
}

// finish notes that done, if there is one, is to be called.
func (p *Player) finish(done func(Played), played Played) {
	if done != nil {
		p.finished = append(p.finished, func() { done(played) })
	}
}

// Close forgets the queue, removes the files, and calls all that waits to be called. The switch is not
// told: the call is over, or someone else has it. What is queued after it is dropped, and marks are echoed at once.
func (p *Player) Close() {
	p.mu.Lock()
	p.flush()
	p.closed, p.breakDue = true, false
	p.due.Stop()
	for _, c := range p.stale {
		p.finish(c.done, Played{})
	}
	p.stale = nil
	p.closeUtterance()
	p.mu.Unlock()
	p.report()
}

// State is how a player is now.
type State struct {
	// Playing says that the switch has something of it to play.
	Playing bool
	// Queued is how much audio has not been played, what the switch has of it included.
	Queued time.Duration
	// Marks are those that are not due yet.
	Marks int
	// Refused is how much audio was dropped because of Limit, Lost how much the switch could not play.
	Refused, Lost time.Duration
	// Cleared counts the utterances that Clear has ended.
	Cleared int
	// Mute says that mod_audio_stream names nothing that it is sent, and that there is no directory
	// either, or that the switch can play nothing: nothing will be heard.
	Mute bool
}

// State returns how the player is now.
func (p *Player) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state
	s.Playing, s.Marks, s.Mute = len(p.given) > 0, len(p.marks), max(p.nameless, p.errors) >= mostInRow
	s.Queued = p.duration(p.queue.bytes)
	if p.next != nil {
		s.Queued += p.next.length
	}
	for _, c := range slices.Concat(p.given, p.again) {
		s.Queued += c.length
	}
	return s
}

// duration is how long so many bytes last in a chunk, and bytes undoes it.
func (p *Player) duration(bytes int) time.Duration { return pcm.Duration(bytes, p.cfg.Rate) }

func (p *Player) bytes(d time.Duration) int { return pcm.Bytes(d, p.cfg.Rate) }
