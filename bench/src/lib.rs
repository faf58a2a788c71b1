//! Shared pieces of the measurements: medians, ratios, CPU time.
