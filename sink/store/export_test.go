package store

// RenameNew is renameNew, for a disk that lacks some ways.
var RenameNew = renameNew

// VTTText is vttText.
var VTTText = vttText

// Store is where the part is.
func (p *Part) Store() *Store { return p.store }
