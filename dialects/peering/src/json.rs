//! Writing JSON straight into bytes: lists of a thousand rows leave no time for building values first.

use meetme_base::Time;

/// A text with its quotes.
pub fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    // Most texts are plain, which is seen of many bytes at once.
    if bytes.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\') {
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    let mut done = 0;
    for (i, byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => {
                out.extend_from_slice(&bytes[done..i]);
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                done = i + 1;
                continue;
            }
            _ => continue,
        };
        out.extend_from_slice(&bytes[done..i]);
        out.extend_from_slice(short);
        done = i + 1;
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

/// A text, or null.
pub fn maybe(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => text(out, value),
        None => null(out),
    }
}

/// Null.
pub fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// A truth value.
pub fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A whole number.
pub fn integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0; 20];
    let mut left = value.unsigned_abs();
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// The name of a member, after a comma where one stands before it.
pub fn key(out: &mut Vec<u8>, name: &str) {
    if !matches!(out.last(), Some(b'{' | b'[') | None) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Any value that is at hand as such.
pub fn value(out: &mut Vec<u8>, value: &serde_json::Value) {
    // Writing JSON into memory cannot fail.
    if serde_json::to_writer(&mut *out, value).is_err() {
        null(out);
    }
}

/// A moment as `"2026-11-22T09:30:00.123000Z"`.
pub fn moment(out: &mut Vec<u8>, time: Time) {
    let (days, millis) = (time.0.div_euclid(86_400_000), time.0.rem_euclid(86_400_000).unsigned_abs());
    let (year, month, day) = civil(days);
    let seconds = millis / 1000;
    // Where each number ends, and what it is.
    let numbers = [
        (5, year.unsigned_abs() % 10_000),
        (8, month),
        (11, day),
        (14, seconds / 3600),
        (17, seconds / 60 % 60),
        (20, seconds % 60),
        (24, millis % 1000),
    ];
    let mut text = *b"\"0000-00-00T00:00:00.000000Z\"";
    for (end, mut number) in numbers {
        let mut at = end;
        while number > 0 {
            at -= 1;
            text[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
    out.extend_from_slice(&text);
}

/// The date of a day counted from 1970-01-01, after Howard Hinnant's well-known derivation: years begin in March, so that the
/// leap day is the last one.
fn civil(days: i64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

/// The same JSON with its members on lines of their own, `indent` blanks deeper for each level.
pub fn indented(compact: &[u8], indent: usize) -> Vec<u8> {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(compact) else { return compact.to_vec() };
    let blanks = vec![b' '; indent];
    let mut out = Vec::with_capacity(compact.len() * 2);
    let style = serde_json::ser::PrettyFormatter::with_indent(&blanks);
    let mut writer = serde_json::Serializer::with_formatter(&mut out, style);
    match serde::Serialize::serialize(&value, &mut writer) {
        Ok(()) => out,
        Err(_) => compact.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped_as_other_writers_do() {
        for sample in ["", "plain", "a\"b\\c", "\n\r\t\u{1}\u{1f}", "Zürich ☃", "\"", "tail\n"] {
            let mut out = Vec::new();
            text(&mut out, sample);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), sample);
        }
    }

    #[test]
    fn a_moment_is_written_as_the_base_writes_it() {
        for millis in
            [0, 1, -1, 951_782_399_999, 951_782_400_000, 1_784_000_000_123, 4_102_444_800_000, -2_208_988_800_000]
        {
            let mut out = Vec::new();
            moment(&mut out, Time(millis));
            assert_eq!(String::from_utf8(out).unwrap(), format!("\"{}\"", Time(millis).rfc3339_micros()));
        }
    }

    #[test]
    fn numbers_of_every_size_are_written_whole() {
        for number in [0, 7, -7, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            integer(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
