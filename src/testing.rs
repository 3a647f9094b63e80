//! Assertions for other people's tests.
