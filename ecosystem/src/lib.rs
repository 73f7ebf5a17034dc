//! Nothing but a place for the tests of this package: each drives one crate that others wrote.
