package app

import "runtime/debug"

// Version is the version of the module, which names the commit if it was built from a
// checkout.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
