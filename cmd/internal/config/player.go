package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"

	"tapdeck/controller"
)

// checkFolder accepts the absolute path of a folder whose files FreeSWITCH plays.
func checkFolder(text string) error {
	switch {
	case text == "":
		return nil
	case !filepath.IsAbs(text):
		return violated("must be an absolute path: FreeSWITCH looks for others below its sound_prefix", "begin it with /")
	}
	if own := regexp.MustCompile("@@|\\$\\{|[!'\"`\\\\;|]").FindString(text); own != "" { // F117, F151, F157, F172
		return violated("must be a plain name: FreeSWITCH takes `"+own+"` in what it plays for itself", "name another folder")
	}
	return nil
}

// checkPlayer refuses a folder that can't be one.
func (l *Loaded) checkPlayer(bad *problems) {
	const key = "player.directory"
	p := l.Config.Player
	if bad.concerns(key, "player.method") {
		return
	}
	info, err := os.Stat(p.Directory)
	switch {
	case p.Directory == "" && p.Method == MethodFiles:
		l.refuse(bad, "player.method", p.Method, "needs player.directory", "name a folder that tapdeck and FreeSWITCH see under the same path, or write auto")
	case p.Directory == "":
	case err != nil:
		l.refuse(bad, key, p.Directory, "can't be used: "+bare(err), "make the folder, for tapdeck to write and for FreeSWITCH to read")
	case !info.IsDir():
		l.refuse(bad, key, p.Directory, "is no folder", "name a folder")
	}
}

// bare is the reason of a file's error without its path.
func bare(err error) string {
	if e, is := errors.AsType[*os.PathError](err); is {
		return e.Err.Error()
	}
	return err.Error()
}

// Controller is the player as the controller has it.
func (p Player) Controller() controller.Player {
	if p.Method == MethodAuto {
		p.Method = MethodStream
		if p.Directory != "" {
			p.Method = MethodFiles
		}
	}
	return controller.Player(p)
}
