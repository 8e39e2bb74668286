//! Captures in and out, and a generator of synthetic SMS signalling.
