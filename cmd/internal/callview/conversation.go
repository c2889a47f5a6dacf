package callview

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tapdeck/controller/flow"
	"tapdeck/sink/store"
)

// printConversation writes what a caller heard of a bot, at its positions in the recording.
func printConversation(w io.Writer, a *store.Agent) error {
	notes := []string{"bot (" + printable(a.Format) + "): " + plural(a.Connects, "connection")}
	if a.ConnectedMS != nil {
		notes[0] += fmt.Sprintf(", the first at %.3f s", float64(*a.ConnectedMS)/1000)
	}
	notes = append(notes, plural(len(a.Utterances)+a.UtterancesInFile+a.UtterancesDropped, "utterance"))
	if a.BargeIns > 0 {
		notes = append(notes, plural(a.BargeIns, "barge-in"))
	}
	if len(a.ResponseMS) > 0 {
		sorted := slices.Sorted(slices.Values(a.ResponseMS))
		notes = append(notes, fmt.Sprintf("response time %d ms in the middle, %d ms at most", sorted[(len(sorted)-1)/2], sorted[len(sorted)-1]))
	}
	if a.WrongMessages > 0 {
		notes = append(notes, plural(a.WrongMessages, "wrong message")+" of the bot")
	}
	for _, lost := range []struct {
		ms   int64
		what string
	}{{a.DroppedMS, "%d ms of the caller dropped: the bot was too slow"}, {a.RefusedMS, "%d ms of the bot refused: too much waited"}, {a.LostMS, "%d ms of the bot lost: the switch could not play it"}} {
		if lost.ms > 0 {
			notes = append(notes, fmt.Sprintf(lost.what, lost.ms))
		}
	}
	fmt.Fprintf(w, "  %s%s\n", strings.Join(notes, ", "), between("; ended by ", endedBy(a.EndedBy), ""))
	t := newTable(w)
	for _, u := range a.Utterances {
		cut := ""
		if u.Cleared {
			cut = ", cut short"
		}
		fmt.Fprintf(t, "    %.3f s\tthe bot speaks for %.3f s%s\n", float64(u.FromMS)/1000, float64(u.ToMS-u.FromMS)/1000, cut)
	}
	if more := a.UtterancesInFile; more > 0 {
		fmt.Fprintf(t, "    …\tand %d more in the record's file\n", more)
	}
	return t.Flush()
}

// endedBy says what has ended a conversation; a word that is not known here is itself.
func endedBy(word string) string {
	switch flow.TalkEnd(word) {
	case flow.TalkClosed:
		return "the bot"
	case flow.TalkBotHangup:
		return "the bot, which hung up"
	case flow.TalkTransfer:
		return "a transfer"
	case flow.TalkTime:
		return "the plan's time"
	case flow.TalkHangup:
		return "a hangup"
	case flow.TalkStream:
		return "the end of the stream"
	case flow.TalkFailed:
		return "a failure of the bot"
	}
	return word
}
