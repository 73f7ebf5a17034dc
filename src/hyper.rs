//! What hyper 1.x asks of a runtime.
