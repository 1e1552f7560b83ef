//! Who made and who last changed a thing of the catalogue. The core's log knows that for everything; the dialect shows it in
//! every answer, so it keeps both names in its own corner of the document, `ext.port`.

use meetme_http::Cx;
use meetme_model::Ext;
use serde_json::{Map, Value};

const CREATED: &str = "createdBy";
const UPDATED: &str = "updatedBy";

/// Who wrote what no caller of this dialect did.
pub const SYSTEM: &str = "system";

/// How the dialect names whoever writes.
pub fn author(cx: &Cx) -> String {
    cx.caller().subject.name.clone()
}

/// The dialect's own corner of a document.
pub fn port(ext: &mut Ext) -> &mut Map<String, Value> {
    let corner = ext.entry("port".to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !corner.is_object() {
        *corner = Value::Object(Map::new());
    }
    corner.as_object_mut().expect("it was just made an object")
}

/// Keeps who writes; who makes it too when the document is new.
pub fn sign(ext: &mut Ext, by: &str, is_new: bool) {
    let kept = port(ext);
    if is_new {
        kept.insert(CREATED.to_owned(), by.into());
    }
    kept.insert(UPDATED.to_owned(), by.into());
}

/// Keeps who writes in a document that takes the place of another, whose maker stays.
pub fn sign_over(ext: &mut Ext, before: &Ext, by: &str) {
    port(ext).insert(CREATED.to_owned(), kept(before, CREATED));
    sign(ext, by, false);
}

/// Who made the document and who last changed it.
pub fn signed(ext: &Ext) -> [Value; 2] {
    [CREATED, UPDATED].map(|key| kept(ext, key))
}

fn kept(ext: &Ext, key: &str) -> Value {
    ext.get("port").and_then(|corner| corner.get(key)).cloned().unwrap_or_else(|| SYSTEM.into())
}
