//! Sealed values inside documents: cut before anybody sees them, and put back when a document comes home without them.

use meetme_base::Sealed;
use serde_json::Value as Json;

use crate::Error;

/// Replaces the content of every sealed value in a document.
pub(crate) fn cut_sealed(doc: &mut Json, with: &dyn Fn(&str) -> Json) {
    match doc {
        Json::Object(map) => {
            if map.len() == 1
                && let Some(Json::String(text)) = map.get(Sealed::MARK)
            {
                let cut = with(text);
                map.insert(Sealed::MARK.to_owned(), cut);
                return;
            }
            map.values_mut().for_each(|v| cut_sealed(v, with));
        }
        Json::Array(list) => list.iter_mut().for_each(|v| cut_sealed(v, with)),
        _ => {}
    }
}

/// A document with its sealed values cut to the mark that callers see.
fn shown(doc: &Json) -> Json {
    let mut doc = doc.clone();
    cut_sealed(&mut doc, &|_| Json::Bool(true));
    doc
}

/// A caller who sends back a document it read sends the marks in place of the sealed values: puts the stored ones back.
pub(crate) fn restore_sealed<R: serde::Serialize>(mut sent: Json, stored: &R) -> Result<Json, Error> {
    let stored = serde_json::to_value(stored).map_err(|e| Error::Bug(e.to_string()))?;
    restore(&mut sent, &stored);
    Ok(sent)
}

fn restore(sent: &mut Json, stored: &Json) {
    match (sent, stored) {
        (Json::Object(sent), Json::Object(stored)) => {
            let is_mark = |map: &serde_json::Map<String, Json>, is: fn(&Json) -> bool| {
                map.len() == 1 && map.get(Sealed::MARK).is_some_and(is)
            };
            if is_mark(sent, |mark| *mark == Json::Bool(true)) {
                if is_mark(stored, Json::is_string) {
                    sent.clone_from(stored);
                }
                return;
            }
            for (key, value) in sent.iter_mut() {
                if let Some(other) = stored.get(key) {
                    restore(value, other);
                }
            }
        }
        (Json::Array(sent), Json::Array(stored)) => restore_list(sent, stored),
        _ => {}
    }
}

/// Members may have been taken out, added or moved: a secret goes back to the member that looks as its own did, and only in a
/// list of the same length to the one in the same place.
fn restore_list(sent: &mut [Json], stored: &[Json]) {
    let mut free: Vec<Option<(&Json, Json)>> = stored.iter().map(|one| Some((one, shown(one)))).collect();
    let same_length = sent.len() == stored.len();
    let mut open = Vec::new();
    for (i, member) in sent.iter_mut().enumerate() {
        // The same place first, so that members that look alike keep theirs.
        let looks = |slot: &Option<(&Json, Json)>| slot.as_ref().is_some_and(|(_, shown)| *shown == *member);
        let found = if free.get(i).is_some_and(looks) { Some(i) } else { free.iter().position(looks) };
        match found.and_then(|at| free[at].take()) {
            Some((own, _)) => restore(member, own),
            None => open.push((i, member)),
        }
    }
    for (i, member) in open {
        if same_length && let Some((own, _)) = free[i].take() {
            restore(member, own);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_secret_comes_back_to_its_own_member_of_a_list() {
        let stored = json!({"peers": [
            {"name": "a", "key": {"$sealed": "A"}}, {"name": "b", "key": {"$sealed": "B"}}, {"name": "c", "key": null}]});
        let mark = json!({"$sealed": true});
        for (sent, wanted) in [
            (json!([{"name": "b", "key": mark}]), json!([{"name": "b", "key": {"$sealed": "B"}}])),
            (
                json!([{"name": "b", "key": mark}, {"name": "a", "key": mark}]),
                json!([{"name": "b", "key": {"$sealed": "B"}}, {"name": "a", "key": {"$sealed": "A"}}]),
            ),
            // Renamed in place: the place tells.
            (
                json!([{"name": "x", "key": mark}, {"name": "b", "key": mark}, {"name": "c", "key": null}]),
                json!([{"name": "x", "key": {"$sealed": "A"}}, {"name": "b", "key": {"$sealed": "B"}},
                       {"name": "c", "key": null}]),
            ),
            // Whose it was cannot be told: the mark stays, and the document will be refused.
            (json!([{"name": "x", "key": mark}]), json!([{"name": "x", "key": mark}])),
        ] {
            let out = super::restore_sealed(json!({ "peers": sent }), &stored).unwrap();
            assert_eq!(out["peers"], wanted);
        }
    }
}
