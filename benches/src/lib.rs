//! Benchmarks of the interloop reactor: one file in `benches/` for each path that has a price.
