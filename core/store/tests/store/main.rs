//! The store on both databases: the same tests, the same answers.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect stops there")]

mod along;
mod bulk;
mod claims;
mod counts;
mod crash;
mod failures;
mod fields;
mod filters;
mod kinds;
mod log;
mod memos;
mod orders;
mod references;
mod rights;
mod rows;
mod samples;
mod schema;
mod secrets;
mod status;
mod tenancy;
mod unclaimed;
mod work;
mod world;
