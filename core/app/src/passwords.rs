//! Session passwords in the spellings of routers' configurations. None of them hides anything: each can be turned back by anybody who
//! knows the public method. They keep a password from being read over a shoulder, and are what a configuration compares with.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use des::cipher::{BlockEncrypt as _, KeyInit as _, generic_array::GenericArray};
use meetme_base::Secret;
use meetme_model::routing::PasswordForm;

/// A password in a form. `key` is what the configuration calls the neighbour, on which one of the forms depends; `salt` chooses among
/// the spellings of the forms that have many.
pub fn spelled(form: PasswordForm, password: &str, key: &str, salt: u8) -> Secret<String> {
    Secret::new(match form {
        PasswordForm::AristaType7 => arista(password, key),
        PasswordForm::CiscoType7 => cisco(password, salt),
        PasswordForm::JuniperType9 => juniper(password, salt),
    })
}

/// The text that Cisco's type 7 is made with.
const CISCO: &[u8] = b"dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87";

/// Two digits that say where in the text to begin, then each byte mixed with one of the text, in hexadecimal.
fn cisco(password: &str, salt: u8) -> String {
    let begin = usize::from(salt % 16);
    let mixed = password.bytes().zip(CISCO.iter().cycle().skip(begin));
    format!("{begin:02}") + &mixed.map(|(byte, key)| format!("{:02X}", byte ^ key)).collect::<String>()
}

/// The letters of Juniper's type 9, in families: the further on, the fewer meaningless letters follow a first one.
const JUNIPER: [&[u8]; 4] = [b"QzF3n6/9CAtpu0O", b"B1IREhcSyrleKvMW8LXx", b"7N-dVbwsY2g4oaJZGUDj", b"iHkq.mPf5T"];
/// The weights that each byte is taken apart by, by its place.
const WEIGHTS: [&[u8]; 7] =
    [&[1, 4, 32], &[1, 16, 32], &[1, 8, 32], &[1, 64], &[1, 32], &[1, 4, 16, 128], &[1, 32, 64]];

/// A first letter, as many meaningless ones as its family wants, then each byte as distances from letter to letter.
fn juniper(password: &str, salt: u8) -> String {
    let letters: Vec<u8> = JUNIPER.concat();
    let first = usize::from(salt) % letters.len();
    let more = 3 - JUNIPER.iter().position(|family| family.contains(&letters[first])).unwrap_or(0);
    let filling = (1..=more).map(|n| letters[(first + 7 * n) % letters.len()]);
    juniper_with(&letters, password, letters[first], &filling.collect::<Vec<u8>>())
}

fn juniper_with(letters: &[u8], password: &str, first: u8, filling: &[u8]) -> String {
    let place = |letter: u8| letters.iter().position(|l| *l == letter).unwrap_or(0);
    let mut out = vec![first];
    out.extend(filling);
    let mut at = place(first);
    for (byte, weights) in password.bytes().zip(WEIGHTS.iter().cycle()) {
        let mut left = byte;
        let mut gaps: Vec<u8> = Vec::new();
        for weight in weights.iter().rev() {
            gaps.push(left / weight);
            left %= weight;
        }
        for gap in gaps.into_iter().rev() {
            at = (at + usize::from(gap) + 1) % letters.len();
            out.push(letters[at]);
        }
    }
    format!("$9${}", String::from_utf8_lossy(&out))
}

/// What the key of Arista's type 7 begins as.
const ARISTA_SEED: [u8; 8] = [0xd5, 0xa8, 0xc9, 0x1e, 0xf5, 0xd5, 0x8a, 0x23];
/// What its plain text begins with.
const ARISTA_MARK: [u8; 3] = [0x4c, 0x88, 0xbb];

/// DES in chained blocks, the key made of the neighbour's name, the text marked and filled up to whole blocks.
fn arista(password: &str, key: &str) -> String {
    let mut mixed = ARISTA_SEED;
    for (n, byte) in key.bytes().chain(*b"_passwd").enumerate() {
        mixed[n % 8] ^= byte;
    }
    // The highest bit of each byte is cut off; the lowest is a parity that the cipher does not look at.
    let cut = mixed.map(|byte| byte & 0x7f);
    let cipher = des::Des::new(&GenericArray::from(cut));
    let fill = (8 - (password.len() + 4) % 8) % 8;
    let mut text = ARISTA_MARK.to_vec();
    // At most 7, which is 0x7e.
    text.push(u8::try_from(fill * 16 + 0x0e).unwrap_or(0x0e));
    text.extend(password.bytes());
    text.resize(text.len() + fill, 0);
    let mut last = [0u8; 8];
    let mut out = Vec::with_capacity(text.len());
    for chunk in text.chunks_exact(8) {
        let mut block = GenericArray::from(last);
        block.iter_mut().zip(chunk).for_each(|(a, b)| *a ^= b);
        cipher.encrypt_block(&mut block);
        last = block.into();
        out.extend_from_slice(&last);
    }
    STANDARD.encode(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_spelled_as_the_makers_routers_spell_them() {
        let of = |form, password, key, salt| spelled(form, password, key, salt).expose().clone();
        assert_eq!(of(PasswordForm::CiscoType7, "cisco", "", 2), "02050D480809");
        assert_eq!(of(PasswordForm::CiscoType7, "cisco", "", 6), "060506324F41");
        assert_eq!(of(PasswordForm::AristaType7, "arista", "42.42.42.42", 0), "3QGcqpU2YTwKh2jVQ4Vj/A==");
        assert_eq!(of(PasswordForm::AristaType7, "arista", "AVD-TEST", 0), "bM7t58t04qSqLHAfZR/Szg==");
        assert_eq!(juniper_with(&JUNIPER.concat(), "lc", b'L', b"bH"), "$9$LbHX-wg4Z");
    }

    /// The method the other way round, as a router reads it.
    fn juniper_read(text: &str) -> String {
        let letters = JUNIPER.concat();
        let place = |letter: u8| letters.iter().position(|l| *l == letter).unwrap();
        let text = text.strip_prefix("$9$").unwrap().as_bytes();
        let more = 3 - JUNIPER.iter().position(|family| family.contains(&text[0])).unwrap();
        let (mut at, mut rest, mut out) = (place(text[0]), &text[1 + more..], Vec::new());
        while !rest.is_empty() {
            let weights = WEIGHTS[out.len() % 7];
            let mut byte = 0u32;
            for weight in weights {
                let next = place(rest[0]);
                byte += u32::from(*weight) * ((next + letters.len() - at) as u32 % letters.len() as u32 - 1);
                (at, rest) = (next, &rest[1..]);
            }
            out.push(u8::try_from(byte % 256).unwrap());
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_salt_leads_back_to_the_password() {
        for salt in 0..=255 {
            for password in ["x", "hunter2", "a longer one, with \u{e9} and more"] {
                assert_eq!(juniper_read(&juniper(password, salt)), password, "{salt}");
                let text = cisco(password, salt);
                let begin: usize = text[..2].parse().unwrap();
                let read: Vec<u8> = (0..password.len())
                    .map(|n| {
                        u8::from_str_radix(&text[2 + 2 * n..4 + 2 * n], 16).unwrap() ^ CISCO[(begin + n) % CISCO.len()]
                    })
                    .collect();
                assert_eq!(read, password.as_bytes());
            }
        }
    }
}
