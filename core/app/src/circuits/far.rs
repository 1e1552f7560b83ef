//! What a provider at the far end is told: which members it needs, and which of them may be used by one circuit only.

use meetme_base::Invalid;
use meetme_store::Tx;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Whole;
use crate::Error;

/// How a provider names the customer's side of a circuit.
struct Key {
    far: &'static str,
    member: &'static str,
    /// Whether one such key belongs to one leg, or to all legs of a circuit; absent when any number of circuits may share it.
    held_by: Option<HeldBy>,
    is_good: fn(&str) -> bool,
    form: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HeldBy {
    Circuit,
    Leg,
}

const KEYS: &[Key] = &[
    Key { far: "aws", member: "account", held_by: None, is_good: is_account, form: "an account number of 12 digits" },
    Key {
        far: "azure",
        member: "service_key",
        held_by: Some(HeldBy::Circuit),
        is_good: |text| (1..=64).contains(&text.len()),
        form: "a service key",
    },
    Key {
        far: "google",
        member: "pairing_key",
        held_by: Some(HeldBy::Leg),
        is_good: is_pairing_key,
        form: "a pairing key such as key/region/1",
    },
    Key {
        far: "oracle",
        member: "ocid",
        held_by: Some(HeldBy::Leg),
        is_good: |text| (1..=256).contains(&text.len()),
        form: "an identifier of a virtual circuit",
    },
];

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_pairing_key(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let [.., number] = parts[..] else { return false };
    text.len() <= 64
        && parts.len() >= 3
        && parts.iter().all(|p| !p.is_empty())
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn key_of(far: Option<&str>) -> Option<&'static Key> {
    KEYS.iter().find(|key| Some(key.far) == far)
}

/// The provider gets what it needs, in its form.
///
/// # Errors
/// Names the member under `far`.
pub(super) fn check(far: Option<&str>, told: Option<&Value>) -> Result<(), Invalid> {
    let Some(key) = key_of(far) else { return Ok(()) };
    let field = format!("far.{}", key.member);
    match told.and_then(|t| t.get(key.member)).and_then(Value::as_str) {
        None => Err(Invalid::required(field)),
        Some(text) if !(key.is_good)(text) => Err(Invalid::format(field, key.form)),
        Some(_) => Ok(()),
    }
}

/// Holds the provider's keys for this circuit, so that no other one is built on them.
///
/// # Errors
/// [`Error::Exists`] naming the member when another circuit has it.
pub(super) fn hold(tx: &mut Tx<'_>, far: Option<&str>, whole: &Whole) -> Result<(), Error> {
    let Some(Key { far, member, held_by: Some(held_by), .. }) = key_of(far) else { return Ok(()) };
    let pool = format!("far.{far}");
    let mut held = Vec::new();
    for leg in &whole.legs {
        let Some(text) = leg.spec.far.as_ref().and_then(|f| f.get(member)).and_then(Value::as_str) else { continue };
        let (item, owner) = match held_by {
            HeldBy::Circuit => (number(text), whole.circuit.id.any()),
            HeldBy::Leg => (number(text), leg.id.any()),
        };
        if *held_by == HeldBy::Circuit && held.contains(&item) {
            continue;
        }
        held.push(item);
        tx.claim_exact(&pool, item, 1, owner).map_err(|e| match e {
            meetme_store::Error::Exhausted { .. } => Error::Exists {
                kind: <meetme_model::fabric::Circuit as meetme_store::Resource>::KIND,
                clash: Invalid::unique(*member, "A circuit on this key"),
            },
            other => other.into(),
        })?;
    }
    Ok(())
}

/// A key as an item of a pool: the first 62 bits of its SHA-256. Two keys that agree in them are refused as if they were one.
fn number(text: &str) -> i64 {
    let digest = Sha256::digest(text.trim().to_ascii_lowercase().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first) & (i64::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_key(far: &str, told: Value, wanted: Option<&str>) {
        let complaint = check(Some(far), Some(&told)).err().map(|e| format!("{} {}", e.field, e.code));
        assert_eq!(complaint.as_deref(), wanted);
    }

    #[test]
    fn each_provider_is_told_its_own_key() {
        check_key("aws", json!({"account": "000123456789"}), None);
        check_key("aws", json!({"account": "123456789"}), Some("far.account format"));
        check_key("google", json!({"pairing_key": "a/us-east1/1"}), None);
        check_key("google", json!({"pairing_key": "a/us-east1/x"}), Some("far.pairing_key format"));
        check_key("google", json!({"pairing_key": "a/1"}), Some("far.pairing_key format"));
        check_key("azure", json!({}), Some("far.service_key required"));
        check_key("someone", json!({}), None);
    }

    #[test]
    fn the_number_of_a_key_is_no_negative_one() {
        assert!(number("a") >= 0 && number("a") != number("b") && number(" A ") == number("a"));
    }
}
