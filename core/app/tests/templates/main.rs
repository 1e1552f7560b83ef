//! Templates over a stored book, on a fresh store of each make, and the templates that come with Meetme under the checkers of the
//! daemons they write for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod book;
mod reading;
mod shipped;
