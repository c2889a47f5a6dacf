package controller

import (
	"context"

	"go.uber.org/zap"
)

// playSilence plays silence until it is ended.
func (v *voice) playSilence() error {
	id, err := v.c.conn.Execute(context.Background(), "playback", "silence_stream://-1")
	if err != nil {
		return v.c.commandEnd("playback", err)
	}
	v.silence = id
	return nil
}

// endSilence breaks off the silence of KeepAlive, if that plays: it is over once settled.
func (v *voice) endSilence() error {
	if v.silence == "" || !v.settled() {
		return nil
	}
	return v.breakOff()
}

// silenceEnded says whether what has ended is the silence, and how.
func (v *voice) silenceEnded(id string, done completion) bool {
	if v.silence == "" || id != v.silence {
		return false
	}
	v.silence = ""
	if done.response == fileNotFound {
		v.noSilence = true
		v.c.log.Warn("silence not played", zap.String("hint", hintNoSilence))
	}
	return true
}
