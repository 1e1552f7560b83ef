//! `GET /options`: the algorithms a tunnel can be made of. The lists come from the standards and the wire's own words, not from rows.

use meetme_app::Error;
use meetme_base::Kind;
use meetme_http::{Cx, Reply};
use serde::Serialize;
use serde_json::Map;

/// One choice.
#[derive(Serialize)]
struct Choice {
    value: &'static str,
    description: &'static str,
    default: bool,
    #[serde(rename = "unsafe")]
    is_unsafe: bool,
    aead: bool,
}

/// A choice as it is written down here: value, description, and marks: `d`efault, `u`nsafe, `a`ead.
type Row = (&'static str, &'static str, &'static str);

const AES: &[Row] = &[
    ("AES_128", "AES-CBC with a key of 128 bits", "d"),
    ("AES_192", "AES-CBC with a key of 192 bits", ""),
    ("AES_256", "AES-CBC with a key of 256 bits", ""),
];
const COUNTER: &[Row] = &[
    ("AES_128_CTR", "AES in counter mode with a key of 128 bits", ""),
    ("AES_192_CTR", "AES in counter mode with a key of 192 bits", ""),
    ("AES_256_CTR", "AES in counter mode with a key of 256 bits", ""),
];
