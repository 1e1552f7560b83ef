//! Codes made of a shared secret and the time: TOTP (RFC 6238) over HOTP (RFC 4226), as the programs on telephones make them: SHA-1,
//! steps of 30 seconds, six digits. Pure arithmetic; what is accepted is decided in [`super::factor`].

use hmac::{Hmac, Mac as _};
use meetme_base::Time;
use sha1::Sha1;

/// How long a code is shown, in milliseconds.
const STEP_MS: i64 = 30_000;

/// The step of time at a moment, counted from 1970 (RFC 6238, section 4.2).
pub fn step(now: Time) -> u64 {
    u64::try_from(now.0.div_euclid(STEP_MS)).unwrap_or(0)
}

/// The code of a step, in so many digits (RFC 4226, section 5.3).
pub fn code(secret: &[u8], step: u64, digits: u32) -> String {
    let mut mac = <Hmac<Sha1> as hmac::Mac>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let print = mac.finalize().into_bytes();
    // The last half byte says where the number begins; its highest bit is left out, so that it has no sign.
    let at = usize::from(print[print.len() - 1] & 0x0f);
    let number = print[at..at + 4].iter().fold(0_u32, |n, byte| n << 8 | u32::from(*byte)) & 0x7fff_ffff;
    let digits = digits.clamp(6, 9);
    format!("{:0width$}", number % 10_u32.pow(digits), width = digits as usize)
}

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes in Base32 without padding (RFC 4648, section 6).
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for part in bytes.chunks(5) {
        let mut all = [0_u8; 8];
        all[3..3 + part.len()].copy_from_slice(part);
        let number = u64::from_be_bytes(all);
        for place in 0..(part.len() * 8).div_ceil(5) {
            out.push(char::from(LETTERS[usize::try_from(number >> (35 - 5 * place) & 31).unwrap_or(0)]));
        }
    }
    out
}

/// The bytes of a Base32 text; nothing when it is none.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut number, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        number = (number << 5 | u32::try_from(value).ok()?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(number >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the test vectors of both documents.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_of_a_counter_are_those_of_rfc_4226_appendix_d() {
        let wanted =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (count, wanted) in (0..).zip(wanted) {
            assert_eq!(code(SECRET, count, 6), wanted, "{count}");
        }
    }

    #[test]
    fn codes_of_the_time_are_those_of_rfc_6238_appendix_b() {
        for (seconds, wanted) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code(SECRET, step(Time(seconds * 1000)), 8), wanted, "{seconds}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648_section_10() {
        for (text, wanted) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(text.as_bytes()), wanted);
            assert_eq!(from_base32(wanted).as_deref(), Some(text.as_bytes()), "{wanted}");
        }
        assert_eq!(from_base32("mzxw6==="), Some(b"foo".to_vec()));
        assert_eq!(from_base32("M1"), None);
    }
}
