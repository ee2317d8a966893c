// Package door asks those who come to a guarded listener for the proof that they
// may load it, and keeps their leases: it makes them tenants, answers what they
// ask, and sees them out.
//
// Whoever comes costs a bounded part of the server whatever they do: proofs under
// way are bounded in all and for each address, in time and in bytes, leases in
// number.
//
// The words of the proof are those of package consent, and connections that are
// load are the listener's. What is told to people is decided elsewhere.
package door
