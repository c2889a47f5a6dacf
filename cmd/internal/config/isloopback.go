package config

// IsLoopback says whether only this machine can reach a listener at host.
func IsLoopback(host string) bool { return isLoopback(host) }
