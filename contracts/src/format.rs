//! The formats of texts that can be checked without knowing more than the text.
//!
//! A format that is not in the list is a remark for the reader and always passes.

use std::net::IpAddr;

/// Whether a text keeps a format.
pub(crate) fn keeps(format: &str, text: &str) -> bool {
    match format {
        "date-time" => is_date_time(text),
        "uuid" => is_uuid(text),
        "uri" | "url" => is_absolute(text),
        "email" => text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
        "slug" => !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
        "ip" => text.parse::<IpAddr>().is_ok(),
        "prefix" | "ip with prefix length" => is_prefix(text),
        "mac" => is_mac(text),
        "decimal" => !text.is_empty() && text.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    }
}

/// RFC 3339, section 5.6: a date, `T`, a time and an offset. The calendar itself is not checked.
fn is_date_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|b| b.iter().all(u8::is_ascii_digit));
    let is = |at: usize, wanted: u8| bytes.get(at) == Some(&wanted);
    let date = digits(0..4) && is(4, b'-') && digits(5..7) && is(7, b'-') && digits(8..10);
    let time = is(10, b'T') && digits(11..13) && is(13, b':') && digits(14..16) && is(16, b':') && digits(17..19);
    if !(date && time) {
        return false;
    }
    let mut rest = &text[19..];
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == fraction.len() {
            return false;
        }
    }
    let offset = rest.as_bytes();
    rest == "Z"
        || (offset.len() == 6
            && matches!(offset[0], b'+' | b'-')
            && offset[3] == b':'
            && [1, 2, 4, 5].iter().all(|&at| offset[at].is_ascii_digit()))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_absolute(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

fn is_prefix(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u8>()) else { return false };
    length <= if address.is_ipv4() { 32 } else { 128 }
}

fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::keeps;

    #[track_caller]
    fn check(format: &str, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(keeps(format, text), "{text:?} is a {format}");
        }
        for text in bad {
            assert!(!keeps(format, text), "{text:?} is no {format}");
        }
    }

    #[test]
    fn times_are_rfc_3339_with_an_offset() {
        check(
            "date-time",
            &["2020-01-02T03:04:05Z", "2020-01-02T03:04:05.123456Z", "2020-01-02T03:04:05+02:00"],
            &["", "2020-01-02", "2020-01-02T03:04:05", "2020-01-02 03:04:05Z", "2020-01-02T03:04:05.Z", "1577934245"],
        );
    }

    #[test]
    fn identifiers_and_addresses_are_told_from_other_texts() {
        check("uuid", &["7b1d2a7c-1c3e-4b7e-9f5d-3a6b1c2d4e5f"], &["", "7b1d2a7c1c3e4b7e9f5d3a6b1c2d4e5f", "gateway"]);
        check("ip", &["192.0.2.1", "2001:db8::1"], &["192.0.2.1/24", "host"]);
        check("ip with prefix length", &["192.0.2.1/24", "2001:db8::1/64"], &["192.0.2.1", "192.0.2.1/33", "x/8"]);
        check("mac", &["00:00:5e:00:53:01"], &["00005e005301", "00:00:5e:00:53"]);
        check("slug", &["edge-1"], &["", "edge 1"]);
        check("url", &["https://meetme.example/"], &["/path", "https://"]);
        check("email", &["noc@example.net"], &["noc", "@example.net"]);
        check("decimal", &["12.5", "-1"], &["", "twelve", "inf"]);
    }

    #[test]
    fn a_format_that_is_only_a_remark_passes() {
        check("app_label.model", &["anything"], &[]);
    }
}
