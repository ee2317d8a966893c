package suite

// KeyNames are the keys of a row, and of the file.
func KeyNames() (row, file []string) { return keyNames(), topKeys() }
