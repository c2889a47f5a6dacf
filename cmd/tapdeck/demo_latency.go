package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
	"tapdeck/controller/switchsim/load"
)

// conversation is one of a demo, and what has become of it.
type conversation struct {
	caller  *demoCaller
	report  switchsim.Report
	session *bot.Session
	talk    verify.Talk
	err     error
}

// latencies are those of all conversations.
type latencies struct{ toBot, toCaller, response, silence []time.Duration }

var (
	errNotInterrupted = errors.New("the bot was not interrupted")
	errNotSpoken      = errors.New("the call ended before the caller had said all: its record and tapdeck.log say why")
)

// summarize compares every conversation, and prints the first one's timeline, a line per call, and latencies.
func (d *talkDemo) summarize(w io.Writer, reports []switchsim.Report) error {
	var took latencies
	bad, resampled := 0, false
	all := make([]conversation, len(reports))
	for i, r := range reports {
		all[i] = d.compare(d.callers[i], r)
		if all[i].err != nil {
			bad++
		}
		resampled = resampled || all[i].talk.Resampled
		all[i].measure(&took)
	}
	all[0].printTimeline(w)
	if err := printConversations(w, all); err != nil {
		return err
	}
	fmt.Fprintln(w)
	err := load.PrintTimes(w, []load.Distribution{
		load.Distribute("caller's frame to bot's socket", took.toBot), load.Distribute("bot's message to first heard", took.toCaller),
		load.Distribute("caller stops to bot is heard", took.response), load.Distribute("bot's clear to silence", took.silence),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "The bot waits %v after the caller's last word: that is part of the third line.\n\n", demoPause)
	return took.verdict(w, bad, len(all), resampled)
}

// compare compares what was said in a call with what was heard.
func (d *talkDemo) compare(caller *demoCaller, r switchsim.Report) conversation {
	c := conversation{caller: caller, report: r, session: verify.SessionOf(d.bot, r.UUID)}
	c.talk, c.err = verify.Conversation(d.c.Out, r, c.session)
	cleared := func(s verify.Spoken) bool { return !s.Cleared.IsZero() }
	switch {
	case c.err != nil:
	case caller.frames[demoPhrases-1] < 0:
		c.err = errNotSpoken
	case !c.talk.Resampled && !slices.ContainsFunc(c.talk.Spoken, cleared):
		c.err = errNotInterrupted
	}
	return c
}

// verdict says whether all is as it should be.
func (l *latencies) verdict(w io.Writer, bad, calls int, resampled bool) error {
	if bad > 0 {
		return fmt.Errorf("%d of %d conversations are not what was said; tapdeck.log beside the recordings says more", bad, calls)
	}
	if resampled {
		fmt.Fprintf(w, "%d of %d recordings hold what was said. The bot's wire has another rate than the call, so that its words can't be compared sample by sample.\n", calls, calls)
		return nil
	}
	worst := slices.Max(l.silence)
	if worst > mostSilence {
		return fmt.Errorf("every word was heard, but the bot still for %v after it was interrupted, more than %v: is this machine busy?", worst.Round(time.Millisecond), mostSilence)
	}
	fmt.Fprintf(w, "Every word was heard, by both sides and in the recording; the interruption took effect within %d ms of the clear.\n", worst.Milliseconds()+1)
	return nil
}

// printConversations prints one line per call.
func printConversations(w io.Writer, all []conversation) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nCALL\tRESULT\tBOT HEARD\tCALLER HEARD\tCOMPARED SAMPLE BY SAMPLE\tFILE")
	for _, c := range all {
		verdict := "all equal"
		switch {
		case c.err != nil:
			verdict = "DIFFERS: " + c.err.Error()
		case c.talk.Resampled:
			verdict = "the recording is equal, the rest resampled"
		case c.talk.Right > 0:
			verdict = "all equal, the recording's right channel too"
		}
		seconds := func(samples int) float64 { return float64(samples) / 8000 }
		r := c.talk.Record
		fmt.Fprintf(t, "%s\t%s\t%.2f s\t%.2f s\t%s\t%s\n", c.caller.id, r.Result, seconds(c.talk.Bot), seconds(c.talk.Caller), verdict, r.WAV)
	}
	return t.Flush()
}

// arrival is when the bot had a frame of the caller's audio, whose sample of the call it begins with.
type arrival struct {
	at     time.Time
	sample int64
	bytes  int
}

// arrivals are of every message of the caller's audio; none if they can't be assigned.
func (c *conversation) arrivals() (list []arrival) {
	if c.talk.Bot == 0 || len(c.report.Streams) != 1 || len(c.talk.Record.Gaps) > 0 {
		return nil
	}
	sample := c.report.Streams[0].Offset + int64(c.talk.From)
	for _, f := range c.session.Frames() {
		list = append(list, arrival{f.At, sample, f.Bytes})
		sample += int64(f.Bytes / 2)
	}
	return list
}

// bursts are what the bot said at one go: its messages one after the other.
func (c *conversation) bursts() (list []bot.Sent) {
	var last time.Time
	for _, s := range c.session.Sent() {
		switch {
		case s.Kind != bot.KindMedia:
			last = time.Time{}
		case s.At.Sub(last) > 200*time.Millisecond:
			list = append(list, s)
			last = s.At
		default:
			list[len(list)-1].Bytes += s.Bytes
			last = s.At
		}
	}
	return list
}

const frameSamples = 160

// measure notes a conversation's latencies.
func (c *conversation) measure(l *latencies) {
	for _, a := range c.arrivals() {
		l.toBot = append(l.toBot, a.at.Sub(c.report.FrameAt((a.sample+int64(a.bytes/2))/frameSamples))) // its end
	}
	if c.err != nil || c.talk.Resampled {
		return
	}
	spoken := c.talk.Spoken
	for i, said := range c.bursts() {
		if i < len(spoken) {
			l.toCaller = append(l.toCaller, spoken[i].Began.Sub(said.At))
		}
	}
	for i, frame := range c.caller.frames {
		if i < len(spoken) {
			ended := c.report.FrameAt(frame + int64(len(c.caller.phrases[i])/2/frameSamples))
			l.response = append(l.response, spoken[i].Began.Sub(ended))
		}
	}
	for _, s := range spoken {
		if !s.Cleared.IsZero() {
			l.silence = append(l.silence, max(s.Ended.Sub(s.Cleared), 0))
		}
	}
}

// moment is something that happens in a conversation.
type moment struct {
	at   time.Time
	text string
}

// moments are what happens in a conversation, in order.
func (c *conversation) moments() (list []moment) {
	add := func(at time.Time, text string, args ...any) {
		list = append(list, moment{at, fmt.Sprintf(text, args...)})
	}
	arrivals := c.arrivals()
	for i, frame := range c.caller.frames {
		if frame < 0 {
			continue
		}
		add(c.report.FrameAt(frame), "the caller says %v", demoLengths[i])
		hears := slices.IndexFunc(arrivals, func(a arrival) bool { return a.sample+int64(a.bytes/2) > frame*frameSamples })
		if hears >= 0 {
			add(arrivals[hears].at, "the bot hears it begin")
		}
	}
	for _, s := range c.bursts() {
		add(s.At, "the bot says %v", time.Duration(s.Bytes/2)*time.Second/time.Duration(c.session.Rate()))
	}
	for _, s := range c.talk.Spoken {
		add(s.Began, "the caller hears the bot, for %.3f s", s.Ended.Sub(s.Began).Seconds())
		if !s.Cleared.IsZero() {
			add(s.Cleared, "the bot hears the caller interrupt it, and clears")
			add(s.Ended, "the caller hears silence")
		}
	}
	slices.SortStableFunc(list, func(a, b moment) int { return a.at.Compare(b.at) })
	return list
}

// printTimeline prints what happens in a conversation, in seconds from the answer.
func (c *conversation) printTimeline(w io.Writer) {
	if c.session == nil {
		return
	}
	fmt.Fprintf(w, "%s, seconds from the answer:\n", c.caller.id)
	for _, m := range c.moments() {
		fmt.Fprintf(w, "%8.3f  %s\n", m.at.Sub(c.report.AnsweredAt).Seconds(), m.text)
	}
}
