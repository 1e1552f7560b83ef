//! Fields as the command line gives them, as a JSON object.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::Fields;

/// The object that a file and pairs give together; pairs go before the file.
pub fn fields(given: &Fields) -> anyhow::Result<Value> {
    let mut out = match &given.file {
        None => Value::Object(Map::new()),
        Some(path) => {
            let text = if path.as_os_str() == "-" {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
                text
            } else {
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
            };
            serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?
        }
    };
    for text in &given.pairs {
        let (path, value) = pair(text)?;
        put(&mut out, &path, value).with_context(|| format!("`{text}` does not fit the fields before it"))?;
    }
    Ok(out)
}

/// `name=text`, `name:=json` and `name@=file`.
fn pair(text: &str) -> anyhow::Result<(Vec<&str>, Value)> {
    let Some((name, value)) = text.split_once('=') else { bail!("`{text}` is no KEY=VALUE") };
    let (name, value) = if let Some(name) = name.strip_suffix(':') {
        (name, serde_json::from_str(value).with_context(|| format!("`{value}` is no JSON"))?)
    } else if let Some(name) = name.strip_suffix('@') {
        let secret = std::fs::read_to_string(value).with_context(|| format!("cannot read {value}"))?;
        (name, json!({ "$secret": secret.trim_end_matches(['\r', '\n']) }))
    } else {
        (name, Value::from(value))
    };
    let path: Vec<&str> = name.split('.').collect();
    if path.iter().any(|part| part.is_empty()) {
        bail!("`{name}` is no name of a field");
    }
    Ok((path, value))
}

fn put(target: &mut Value, path: &[&str], value: Value) -> anyhow::Result<()> {
    let Some((first, rest)) = path.split_first() else {
        *target = value;
        return Ok(());
    };
    let Some(map) = target.as_object_mut() else { bail!("there is no object to put {first} into") };
    let empty = if rest.is_empty() { Value::Null } else { Value::Object(Map::new()) };
    put(map.entry(*first).or_insert(empty), rest, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[&str]) -> anyhow::Result<Value> {
        fields(&Fields { file: None, pairs: pairs.iter().map(|pair| (*pair).to_owned()).collect() })
    }

    #[test]
    fn pairs_become_fields() {
        let read =
            read(&["name=a=b", "rate:=100", "geo.latitude:=1.5", "geo.note=x", "tags:=[1,2]", "gone:=null"]).unwrap();
        assert_eq!(
            read,
            json!({"name": "a=b", "rate": 100, "geo": {"latitude": 1.5, "note": "x"}, "tags": [1, 2], "gone": null})
        );
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for bad in [&["name"][..], &["a..b=1"], &["a:=x"], &["a=1", "a.b=2"], &["a@=/no/such/file"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
