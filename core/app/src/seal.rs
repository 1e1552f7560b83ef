//! Sealing: secrets that must be read again (session passwords, a box's credentials) are enciphered with ChaCha20-Poly1305 under a
//! key that is derived from the installation's master key and never stored in the database. Secrets that need only be
//! recognised (API keys, session tokens) are kept as a keyed hash, HMAC-SHA-256 under another derived key.

use std::{io::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce, aead::Aead as _};
use hmac::{Hmac, Mac as _};
use meetme_base::{Sealed, Secret};
use sha2::Sha256;

use crate::Error;

/// The secret that everything else is derived from: 32 random bytes in a file only the server may read.
pub struct MasterKey(Secret<[u8; 32]>);

impl MasterKey {
    /// Reads the key from a file of 64 hexadecimal digits, making one when there is none.
    ///
    /// # Errors
    /// When the file cannot be read, made or understood.
    pub fn at(path: &Path) -> Result<Self, Error> {
        let failed = |what: &str, e: &dyn std::fmt::Display| {
            Error::Unavailable(format!("The master key {} cannot be {what}: {e}", path.display()))
        };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                Self::parse(text.trim()).ok_or_else(|| failed("understood", &"it is not 64 hexadecimal digits"))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let bytes = random::<32>()?;
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(path).map_err(|e| failed("made", &e))?;
                writeln!(file, "{}", hex(&bytes)).and_then(|()| file.sync_all()).map_err(|e| failed("written", &e))?;
                Ok(Self(Secret::new(bytes)))
            }
            Err(e) => Err(failed("read", &e)),
        }
    }

    /// Reads the key from 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (i, b) in bytes.iter_mut().enumerate() {
            *b = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(Secret::new(bytes)))
    }
}

/// Seals, opens and hashes.
pub struct Sealer {
    cipher: ChaCha20Poly1305,
    hash: Hmac<Sha256>,
    sign: Hmac<Sha256>,
}

impl Sealer {
    /// Derives the keys.
    pub fn new(master: &MasterKey) -> Self {
        let derive = |purpose: &[u8]| {
            let mut mac = mac(master.0.expose());
            mac.update(purpose);
            mac.finalize().into_bytes()
        };
        Self {
            cipher: ChaCha20Poly1305::new(&derive(b"seal 1")),
            hash: mac(&derive(b"hash 1")),
            sign: mac(&derive(b"sign 1")),
        }
    }

    /// Seals a text.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn seal(&self, text: &str) -> Result<Sealed, Error> {
        let nonce = random::<12>()?;
        let cipher = self
            .cipher
            .encrypt(Nonce::from_slice(&nonce), text.as_bytes())
            .map_err(|_| Error::Bug("a text cannot be sealed".to_owned()))?;
        Ok(Sealed { text: format!("1{}", BASE64.encode([&nonce[..], &cipher].concat())) })
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// When it was sealed under another master key, or changed since.
    pub fn open(&self, sealed: &Sealed) -> Result<Secret<String>, Error> {
        let bad = || Error::Bug("a sealed value cannot be opened: is this the right master key?".to_owned());
        let bytes = sealed.text.strip_prefix('1').and_then(|t| BASE64.decode(t).ok()).ok_or_else(bad)?;
        let (nonce, cipher) = bytes.split_at_checked(12).ok_or_else(bad)?;
        let plain = self.cipher.decrypt(Nonce::from_slice(nonce), cipher).map_err(|_| bad())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| bad())
    }

    /// The keyed hash of a random credential, 64 hexadecimal digits: what the database keeps and looks up.
    pub fn hash(&self, secret: &str) -> String {
        let mut mac = self.hash.clone();
        mac.update(secret.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// A key for signing tokens that carry their own claims.
    pub fn signing_key(&self) -> Secret<Vec<u8>> {
        let mut mac = self.sign.clone();
        mac.update(b"tokens");
        Secret::new(mac.finalize().into_bytes().to_vec())
    }
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::Unavailable(format!("No random numbers: {e}")))?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_under_the_same_key() {
        let one = Sealer::new(&MasterKey::parse(&"1".repeat(64)).unwrap());
        let two = Sealer::new(&MasterKey::parse(&"2".repeat(64)).unwrap());
        let sealed = one.seal("hunter2").unwrap();
        assert!(!sealed.text.contains("hunter2") && sealed != one.seal("hunter2").unwrap());
        assert_eq!(one.open(&sealed).unwrap().expose(), "hunter2");
        assert!(two.open(&sealed).is_err());
        assert_ne!(one.hash("x"), two.hash("x"));
    }
}
